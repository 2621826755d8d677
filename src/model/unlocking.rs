//! Where somebody is who unlocks, and how.

use super::word_enum::word_enum;

word_enum! {
    /// Where a passphrase comes from that a running server is given. Each has delays of its own: nobody on the network can keep those
    /// out who sit at the machine.
    pub enum CameFrom {
        /// The machine that the server runs on.
        Machine = "machine",
        /// Anywhere else.
        Network = "network",
    }
}

word_enum! {
    /// How the root key opens.
    pub enum OpensBy {
        /// By a passphrase.
        Passphrase = "passphrase",
        /// By shares that several people hold.
        Shares = "shares",
        /// By a key of a hardware module (PKCS #11).
        Pkcs11 = "pkcs11",
    }
}
