//! The life of a vault: it is made, opened, checked, and goes on as the next log.

pub mod found;
pub mod fsck;
pub mod open;
pub mod restart;
pub mod rules;
