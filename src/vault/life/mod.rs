//! The life of a vault: it is made, opened, checked, and goes on as the next log.

pub mod again;
pub mod door;
mod edge;
mod erasures;
pub mod fsck;
pub mod gathering;
pub mod init;
mod line;
pub mod lists;
mod next_log;
pub mod open;
pub mod recover;
mod recovery_log;
mod reference_data;
pub mod rekey;
pub mod restart;
mod rotations;
pub mod rules;
mod tries;
