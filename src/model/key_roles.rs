//! What the keys of the keyring are for, and where the work on them stands.

use super::word_enum::word_enum;

word_enum! {
    /// What a key of the keyring is for.
    pub enum KeyRole {
        /// Wraps record keys.
        Kek = "kek": "Key-encryption key" / "密钥加密密钥",
        /// Blind indexes; a subkey for each.
        Index = "index": "Blind indexes" / "盲索引密钥",
        /// Codes over rows that decide, of requests that may come again, and seals on remembered answers; a subkey for each.
        Row = "row": "Codes of rows" / "数据行校验密钥",
        /// Department references; a subkey per department, kind and version.
        Reference = "reference": "References" / "引用号密钥",
        /// Ed25519 seed that signs checkpoints.
        Log = "log": "Signature of the log" / "日志签名密钥",
    }
}

word_enum! {
    /// Where a rewrap stands.
    pub enum RewrapState {
        /// It goes on.
        Running = "running": "Running" / "进行中",
        /// Whoever started it may not any more. It goes on when somebody starts it again.
        Halted = "halted": "Halted" / "已暂停",
        /// It is done.
        Done = "done": "Done" / "已完成",
    }
}
