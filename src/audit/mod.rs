//! What is read out of the log: [`search`] and its [`index`], [`exposure`], [`watch`] over readers, [`export`] as lines of other
//! systems, and [`verify`] for a copy of the log without a vault. It knows leaves, not callers.

pub mod counts;
pub mod export;
pub mod exposure;
pub mod indexer;
pub mod search;
pub mod span;
pub mod verify;
pub mod watch;
