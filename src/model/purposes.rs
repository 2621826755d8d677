//! Why somebody asks.

use super::word_enum::word_enum;

word_enum! {
    /// The purpose stated with an ask. The policy says which role may have which.
    pub enum Purpose {
        /// Taking a call.
        Intake = "intake": "Take a call" / "受理来电",
        /// Choosing the department.
        Dispatch = "dispatch": "Dispatch" / "派单",
        /// Working on the ticket.
        Handle = "handle": "Work on the ticket" / "办理",
        /// Asking the caller how it went.
        Callback = "callback": "Call back" / "回访",
        /// Following up on a department.
        Supervise = "supervise": "Supervise" / "督办",
        /// Putting a call through to a caller.
        Connect = "connect": "Put a call through" / "转接通话",
        /// Putting a wrong value right.
        Correct = "correct": "Correct a value" / "更正",
        /// Running the vault: departments, principals, keys.
        Administer = "administer": "Administer" / "管理",
        /// Indexing values anew after a rotation.
        Reindex = "reindex": "Index anew" / "重建索引",
        /// Sealing fields anew after a change of suite.
        Reseal = "reseal": "Seal anew" / "重新加密",
        /// Checking the log.
        Audit = "audit": "Audit" / "审计",
    }
}

word_enum! {
    /// How a field leaves.
    pub enum Form {
        /// As it is.
        Clear = "clear": "Clear" / "明文",
        /// Shortened by its mask.
        Masked = "masked": "Masked" / "脱敏",
    }
}
