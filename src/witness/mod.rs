//! The witness (C2SP tlog-witness v1.0.0): an outsider who remembers the largest tree of a log that it has seen and
//! cosigns only what continues it. Whoever checks its cosignature knows that the log was not cut or rewritten before.
//!
//! Life of a checkpoint, on the witness's side: [`request`] reads the body, [`decide`] asks whether the log signed it and
//! whether it continues what is remembered, [`memory`] makes the new size durable in the transaction that asked, and
//! only then [`server`] cosigns. A crash leaves the old size or the new one remembered; what was answered is remembered.

pub mod decide;
pub mod memory;
pub mod request;
pub mod server;
