//! The use cases. Every one asks, is decided on, and is in the log before it answers.
//!
//! [`core`] is what they stand on, and imports none of them. The others are rooms by what people do: [`calls`] are taken and
//! callers looked up, shown and corrected; [`tickets`] travel; [`people`] are given accounts, roles and second persons;
//! [`auditing`] reads the log; [`keys`] unlock and lock; [`copies`] of the stores are backups, or are checked; [`life`] makes, opens,
//! checks and restarts a vault.

pub mod auditing;
pub mod calls;
pub mod copies;
mod core;
pub mod keys;
pub mod life;
pub mod people;
pub mod tickets;

pub use self::core::{
    Asked, Audit, Error, LARGEST_PAGE, LeafHash, LogStopped, Pending, Rates, Replay, Retention, Rules, Scope, Session,
    Stranger, Superseded, Unnamed, Values, Vault, Watching, Witnessing,
};
