//! Where somebody is who unlocks.

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
