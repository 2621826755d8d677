//! Why somebody asks.

use super::word_enum::word_enum;

word_enum! {
    /// The purpose stated with an ask. The policy says which role may have which.
    pub enum Purpose {
        /// Taking a call.
        Intake = "intake",
        /// Choosing the department.
        Dispatch = "dispatch",
        /// Working on the ticket.
        Handle = "handle",
        /// Asking the caller how it went.
        Callback = "callback",
        /// Following up on a department.
        Supervise = "supervise",
        /// Putting a wrong value right.
        Correct = "correct",
        /// Running the vault: departments, principals, keys.
        Administer = "administer",
        /// Checking the log.
        Audit = "audit",
    }
}

word_enum! {
    /// How a field leaves.
    pub enum Form {
        /// As it is.
        Clear = "clear",
        /// Shortened by its mask.
        Masked = "masked",
    }
}
