//! What the keys of the keyring are for, the suites that their versions are of, and where the work on them stands.

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
    /// The algorithms that a version of a key is used with. What they are in full is in `keyring/suites`.
    pub enum Suite {
        /// AES-256-GCM, HMAC-SHA-256, HKDF-SHA-256.
        Aes = "aes": "AES-256-GCM and HMAC-SHA-256" / "国际算法套件（AES-256-GCM、HMAC-SHA-256）",
        /// SM4-GCM (RFC 8998), HMAC-SM3, HKDF-SM3.
        Sm = "sm": "SM4-GCM and HMAC-SM3" / "国密算法套件（SM4-GCM、HMAC-SM3）",
    }
}

impl std::str::FromStr for Suite {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::from_word(word).ok_or("a suite is `aes` or `sm`")
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
