//! The values everything else speaks about. No I/O, no keys.

pub mod actions;
pub mod approvals;
pub mod ask;
pub mod canonical;
pub mod claim_code;
pub mod client;
pub mod code;
pub(crate) mod crockford;
pub mod fields;
pub mod ids;
pub mod key_roles;
pub mod limits;
pub mod lists;
pub mod principals;
pub mod problems;
pub mod purposes;
pub mod reference;
pub mod reference_data;
pub mod submitted;
pub mod ticket_no;
pub mod tickets;
pub mod tokens;
pub mod township;
pub mod transitions;
pub mod unlocking;
pub(crate) mod word_enum;
