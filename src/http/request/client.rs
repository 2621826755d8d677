//! Where a request came from: from its peer, or, where the peer is a proxy that is trusted, from whom that proxy names.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

use crate::model::word_enum::word_enum;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

word_enum! {
    /// The header in which a proxy names whom it forwards for. One is believed, never both: a proxy that writes one of them passes on
    /// the other as the client has sent it.
    pub enum ForwardedIn {
        /// `X-Forwarded-For`: addresses with a comma between.
        XForwardedFor = "x-forwarded-for",
        /// `Forwarded` (RFC 7239).
        Forwarded = "forwarded",
    }
}

/// The proxies that are believed.
#[derive(Clone, Debug)]
pub struct Proxies {
    /// Theirs and theirs alone are these addresses. Without any, no header is looked at.
    pub trusted: Vec<IpNet>,
    /// Where they say so.
    pub named_in: ForwardedIn,
}

impl Default for Proxies {
    fn default() -> Self {
        Self {
            trusted: Vec::new(),
            named_in: ForwardedIn::XForwardedFor,
        }
    }
}

impl Proxies {
    /// The address that a request came from. Nothing where it came by no connection.
    pub(super) fn client(&self, parts: &Parts) -> Option<IpAddr> {
        let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
        Some(self.beyond(peer.ip().to_canonical(), &parts.headers))
    }

    /// From the peer on, what each trusted hop says is believed, and no more: the address of the first that is not trusted, or of the
    /// last that is known.
    fn beyond(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        for hop in self.hops(headers) {
            match hop {
                Some(before) if self.trusts(client) => client = before.to_canonical(),
                _ => break,
            }
        }
        client
    }

    /// An address of IPv4 is also in a network that names it in the form of IPv6 (RFC 4291 §2.5.5.2): `::ffff:10.0.0.0/104`.
    fn trusts(&self, address: IpAddr) -> bool {
        let mapped = match address {
            IpAddr::V4(address) => IpAddr::V6(address.to_ipv6_mapped()),
            IpAddr::V6(_) => address,
        };
        let mut networks = self.trusted.iter();
        networks.any(|network| network.contains(&address) || network.contains(&mapped))
    }

    /// The hops that the header names, the nearest first; nothing for one that is no address.
    fn hops(&self, headers: &HeaderMap) -> Vec<Option<IpAddr>> {
        if self.trusted.is_empty() {
            return Vec::new();
        }
        let (name, address): (HeaderName, fn(&str) -> Option<IpAddr>) = match self.named_in {
            ForwardedIn::XForwardedFor => (X_FORWARDED_FOR, plain),
            ForwardedIn::Forwarded => (header::FORWARDED, of_rfc_7239),
        };
        let lines = headers.get_all(name).iter().rev();
        lines
            .flat_map(|line| match line.to_str() {
                // An element without anything in it is none (RFC 9110 §5.6.1).
                Ok(line) => {
                    let hops = line.rsplit(',').map(str::trim).filter(|hop| !hop.is_empty());
                    hops.map(address).collect()
                }
                Err(_) => vec![None],
            })
            .collect()
    }
}

/// An address, with a port or without, also between quotation marks. Which link of the proxy leads to it (RFC 4007 §11) is no part of
/// it.
fn plain(hop: &str) -> Option<IpAddr> {
    let quoted = hop.strip_prefix('"').and_then(|hop| hop.strip_suffix('"'));
    let hop = without_zone(quoted.unwrap_or(hop));
    let hop = hop.as_ref();
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']'));
    let address = IpAddr::from_str(bare.unwrap_or(hop)).ok();
    address.or_else(|| Some(SocketAddr::from_str(hop).ok()?.ip()))
}

/// `fe80::1%eth0` and `[fe80::1%eth0]:443` without `%eth0`.
fn without_zone(hop: &str) -> Cow<'_, str> {
    match hop.split_once('%') {
        Some((address, zone)) => match zone.split_once(']') {
            Some((_, rest)) => Cow::Owned(format!("{address}]{rest}")),
            None => Cow::Borrowed(address),
        },
        None => Cow::Borrowed(hop),
    }
}

/// `for=` of one element of `Forwarded`. An obfuscated or unknown one is no address.
fn of_rfc_7239(hop: &str) -> Option<IpAddr> {
    let element = rfc7239::parse(hop).next()?.ok()?;
    element.forwarded_for?.ip().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header that is read; the peer; each line of a header that came; the client.
    const CASES: &[(&str, &str, &[&str], &str)] = &[
        // Nobody else is believed.
        (X, "192.0.2.1", &["x-forwarded-for: 198.51.100.7"], "192.0.2.1"),
        (X, PROXY, &[], PROXY),
        (X, PROXY, &["x-forwarded-for: 198.51.100.7"], "198.51.100.7"),
        // What the client has sent stands further left.
        (
            X,
            PROXY,
            &["x-forwarded-for: 203.0.113.9, 198.51.100.7, 10.2.3.4"],
            "198.51.100.7",
        ),
        (
            X,
            PROXY,
            &["x-forwarded-for: 203.0.113.9", "x-forwarded-for: 198.51.100.7"],
            "198.51.100.7",
        ),
        // Not an address: the last hop that is known.
        (X, PROXY, &["x-forwarded-for: 198.51.100.7, who, 10.2.3.4"], "10.2.3.4"),
        (X, PROXY, &["x-forwarded-for: "], PROXY),
        (X, PROXY, &["x-forwarded-for: 10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        // With ports, and of the sixth version.
        (X, PROXY, &["x-forwarded-for: 198.51.100.7:443"], "198.51.100.7"),
        (X, "2001:db8:1::1", &["x-forwarded-for: 2001:db8:2::7"], "2001:db8:2::7"),
        (X, PROXY, &["x-forwarded-for: [2001:db8:2::7]:443"], "2001:db8:2::7"),
        (X, PROXY, &["x-forwarded-for: ::ffff:198.51.100.7"], "198.51.100.7"),
        // With the link that leads there, between quotation marks, and with a comma too many.
        (X, PROXY, &["x-forwarded-for: fe80::1%eth0"], "fe80::1"),
        (X, PROXY, &["x-forwarded-for: [fe80::1%eth0]:443"], "fe80::1"),
        (X, PROXY, &["x-forwarded-for: \"198.51.100.7:443\""], "198.51.100.7"),
        (
            X,
            PROXY,
            &["x-forwarded-for: 198.51.100.7, , 10.2.3.4,"],
            "198.51.100.7",
        ),
        (X, PROXY, &["x-forwarded-for: \"198.51.100.7"], PROXY),
        // A network of IPv4 in the form of IPv6.
        (
            X,
            "192.0.2.130",
            &["x-forwarded-for: 198.51.100.7, 192.0.2.131"],
            "198.51.100.7",
        ),
        (X, "192.0.2.1", &["x-forwarded-for: 198.51.100.7"], "192.0.2.1"),
        // The other header is what anybody may have sent.
        (X, PROXY, &["forwarded: for=198.51.100.7"], PROXY),
        (F, PROXY, &["x-forwarded-for: 198.51.100.7"], PROXY),
        (F, PROXY, &["forwarded: for=198.51.100.7;proto=https"], "198.51.100.7"),
        (
            F,
            PROXY,
            &["forwarded: for=203.0.113.9, for=\"[2001:db8:2::7]:443\";by=10.0.0.1, For=10.2.3.4"],
            "2001:db8:2::7",
        ),
        (F, PROXY, &["forwarded: for=\"open, for=198.51.100.7"], "198.51.100.7"),
        (
            F,
            PROXY,
            &["forwarded: for=198.51.100.7, for=_hidden, for=10.2.3.4"],
            "10.2.3.4",
        ),
        (F, PROXY, &["forwarded: for=unknown"], PROXY),
    ];
    const X: &str = "x-forwarded-for";
    const F: &str = "forwarded";
    const PROXY: &str = "10.0.0.1";

    #[test]
    fn a_trusted_peer_names_the_client() {
        for (named_in, peer, lines, right) in CASES {
            let proxies = Proxies {
                trusted: ["10.0.0.0/8", "2001:db8:1::/48", "::ffff:192.0.2.128/121"]
                    .map(|network| network.parse().unwrap())
                    .to_vec(),
                named_in: ForwardedIn::from_word(named_in).unwrap(),
            };
            let mut headers = HeaderMap::new();
            for line in *lines {
                let (name, value) = line.split_once(": ").unwrap();
                headers.append(HeaderName::from_static(name), value.parse().unwrap());
            }
            let client = proxies.beyond(peer.parse().unwrap(), &headers).to_string();
            assert_eq!(client, *right, "{named_in} {peer} {lines:?}");
        }
    }
}
