//! What the keys of the keyring are for.

use super::word_enum::word_enum;

word_enum! {
    /// What a key of the keyring is for.
    pub enum KeyRole {
        /// Wraps record keys.
        Kek = "kek",
        /// Blind indexes; a subkey for each.
        Index = "index",
        /// Codes over rows that decide, of requests that may come again, and seals on remembered answers; a subkey for each.
        Row = "row",
        /// Department references; a subkey per department, kind and version.
        Reference = "reference",
        /// Ed25519 seed that signs checkpoints.
        Log = "log",
    }
}
