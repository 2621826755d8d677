//! What takes two persons (双人复核).

use super::word_enum::word_enum;

word_enum! {
    /// Where a request for approval stands.
    pub enum ApprovalState {
        /// Waiting for another person.
        Asked = "asked",
        /// Approved, to be used once.
        Approved = "approved",
        /// Refused.
        Refused = "refused",
        /// Used.
        Used = "used",
    }
}
