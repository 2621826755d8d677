//! What a backup holds, and how far it has come.

use super::word_enum::word_enum;

word_enum! {
    /// A store of the vault, as it is backed up: each in a file of its own.
    pub enum Part {
        /// Records and log, whose values are sealed.
        Data = "data": "Data store" / "数据库",
        /// The wrapped keys.
        Keys = "keys": "Key store" / "密钥库",
    }
}

word_enum! {
    /// How far work that goes on in the background has come.
    pub enum WorkState {
        /// It goes on.
        Running = "running": "Running" / "进行中",
        /// It is done.
        Done = "done": "Done" / "已完成",
    }
}
