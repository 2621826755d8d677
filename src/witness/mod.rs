//! The witness (C2SP tlog-witness v1.0.0): an outsider who remembers the largest tree of a log that it has seen and
//! cosigns only what continues it. Whoever checks its cosignature knows that the log was not cut or rewritten before.
//!
//! Life of a checkpoint, on the witness's side: [`request`] reads the body, [`decide`] asks whether the log signed it and
//! whether it continues what is remembered, [`memory`] makes the new size durable in the transaction that asked, and
//! only then [`server`] cosigns. A crash leaves the old size or the new one remembered; what was answered is remembered.
//!
//! On the log's side: [`client`] submits a checkpoint and believes nothing that the witness's key has not signed;
//! [`freshness`] says what may still be done while no cosignature comes.

pub mod client;
pub mod decide;
pub mod freshness;
pub mod memory;
pub mod request;
pub mod server;

use jiff::SignedDuration;

/// A witness's clock may be this much ahead of ours.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
