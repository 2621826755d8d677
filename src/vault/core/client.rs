//! Where a request came from: sealed once for it, before anything of it is decided or logged (decision 0030).

use std::net::IpAddr;

use crate::model::ask::RequestId;
use crate::model::client::SealedAddress;
use crate::vault::{Error, Session, Vault};

/// A request without a token: its name, for its entry in the log, and where it came from.
pub struct Unnamed {
    pub(in crate::vault) request: RequestId,
    pub(in crate::vault) client: Option<SealedAddress>,
}

impl Vault {
    /// The session of a request that came from this address.
    ///
    /// # Errors
    /// [`Error::Key`] when locked or without randomness.
    pub fn came_from(&self, session: Session, address: Option<IpAddr>) -> Result<Session, Error> {
        let client = self.sealed_address(&session.request, address)?;
        Ok(Session { client, ..session })
    }

    /// A request without a token that came from this address.
    ///
    /// # Errors
    /// [`Error::Key`] when locked or without randomness.
    pub fn unnamed(&self, request: RequestId, address: Option<IpAddr>) -> Result<Unnamed, Error> {
        let client = self.sealed_address(&request, address)?;
        Ok(Unnamed { request, client })
    }

    fn sealed_address(&self, request: &RequestId, address: Option<IpAddr>) -> Result<Option<SealedAddress>, Error> {
        let Some(address) = address else { return Ok(None) };
        let sealed = self.keyring.seal_address(request.as_str(), address)?;
        Ok(Some(SealedAddress::new(self.log_number(), sealed)))
    }
}
