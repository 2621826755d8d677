//! Two records of one caller become one, two again, or a wrong match is taken apart: each with a second person's approval
//! (decision 0027).
//!
//! A merge moves no ticket and no reference. The record that is merged keeps its row, its key and its fields and leads to the other
//! ([`Vault::traced`]); the other takes what it lacks. So a merge costs the same however many tickets there are, and undoing it
//! gives back what was there.

mod common;
mod merge;
mod split;
mod undo;

pub use self::common::{ByTicket, Joined, JoinedCaller};
pub use self::merge::MergeCallers;
pub use self::split::{Split, SplitCaller};
pub use self::undo::Unmerged;
