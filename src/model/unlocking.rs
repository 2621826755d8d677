//! Where somebody is who unlocks, and how.

use std::net::IpAddr;

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

/// Who asks, as far as a server can tell from the connection. Those who ask take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// An account of the machine, by its number; nothing where the system does not say whose the connection is.
    Account(Option<u32>),
    /// An address of the network. Of IPv6 its first 64 bits: a site has all addresses behind them (RFC 4291 §2.5.4).
    Address(Option<IpAddr>),
}

impl Asker {
    /// Whoever comes from this address of the network.
    #[must_use]
    pub fn at(address: Option<IpAddr>) -> Self {
        Self::Address(address.map(|address| match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
            address @ IpAddr::V4(_) => address,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_one_asker() {
        let at = |text: &str| Asker::at(Some(text.parse().unwrap()));
        assert_eq!(at("2001:db8::1"), at("2001:db8::ffff:1"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        assert_eq!(at("203.0.113.7"), at("::ffff:203.0.113.7"));
        assert_ne!(at("203.0.113.7"), at("203.0.113.8"));
    }
}
