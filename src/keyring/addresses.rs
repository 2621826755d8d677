//! Addresses that requests came from: each is sealed for its request, before anything about the request is logged.

use std::net::{IpAddr, Ipv6Addr};

use super::derive::join;
use super::{KeyError, KeyRole, Keyring, aead};

const SUBKEY: &[u8] = b"callervault/client-address/1";

impl Keyring {
    /// An address sealed for the request with this name. All sealed addresses have one length: an address of IPv4 is sealed as
    /// RFC 4291 §2.5.5.2 maps it.
    ///
    /// # Errors
    /// When locked or without randomness.
    pub fn seal_address(&self, request: &str, address: IpAddr) -> Result<Vec<u8>, KeyError> {
        let aad = self.address_place(request);
        let version = self.active(KeyRole::Row)?;
        let mapped = match address {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        self.with_subkey(KeyRole::Row, version, SUBKEY, |key| {
            aead::seal(&*self.randomness, key, version, &aad, &mapped.octets())
        })
    }

    /// The address that the request with this name came from.
    ///
    /// # Errors
    /// When locked, or when it was changed or is another request's.
    pub fn open_address(&self, request: &str, sealed: &[u8]) -> Result<IpAddr, KeyError> {
        let aad = self.address_place(request);
        let version = aead::generation(sealed)?;
        let plain = self.with_subkey(KeyRole::Row, version, SUBKEY, |key| {
            aead::open(key, version, &aad, sealed)
        })?;
        let octets: [u8; 16] = plain.as_slice().try_into().map_err(|_| KeyError::Broken)?;
        Ok(IpAddr::V6(Ipv6Addr::from(octets)).to_canonical())
    }

    fn address_place(&self, request: &str) -> Vec<u8> {
        join(&[SUBKEY, self.origin.as_bytes(), request.as_bytes()])
    }
}
