//! Calls are taken once; their callers are looked up, compared, shown and corrected.

pub mod callers;
pub mod compare;
pub mod contact;
pub mod correct;
pub(in crate::vault) mod counted;
pub mod erase;
pub mod holds;
pub mod intake;
pub mod joining;
pub mod lookup;
mod matching;
pub mod mend;
pub mod refuse;
pub mod restrict;
pub mod retention;
pub mod reveal;
pub mod translate;
