//! Copies of the stores as they stood at one moment: backups, and checks of a vault that serves
//! ([0043](../../../docs/decisions/0043-backups-and-checks-of-a-serving-vault.md)).

pub mod backup;
pub mod check;
mod copying;
pub mod fetch;
pub mod restore;
