//! The address that an entry's request came from, for auditors alone.

use std::net::IpAddr;

use crate::cells;
use crate::keyring::{KeyError, Keyring};
use crate::log::leaf::{Leaf, base64_sha256};
use crate::store::StoreError;
use crate::store::rows::ClientRow;
use crate::store::rows::client::AT;
use crate::vault::auditing::read::Entry;
use crate::vault::{Error, Vault};

/// The address in a row, if the row is the one that the entry has the digest of.
///
/// # Errors
/// [`KeyError::Broken`] if it is not; when locked.
pub(in crate::vault) fn address(keyring: &Keyring, leaf: &Leaf, row: &ClientRow) -> Result<IpAddr, KeyError> {
    if leaf.client.as_deref() != Some(base64_sha256(&row.sealed).as_str()) {
        return Err(KeyError::Broken);
    }
    keyring.open_address(&leaf.req, &row.sealed)
}

impl Vault {
    /// Puts the address beside an entry of the log in force. A row that was changed or taken away holds up no answer.
    pub(super) async fn address_beside(&self, entry: &mut Entry, leaf: &Leaf) -> Result<(), Error> {
        if leaf.client.is_none() {
            return Ok(());
        }
        let row = match self.store.one(&AT, &cells![self.log_number(), entry.index]).await {
            Ok(row) => row.ok_or(KeyError::Broken),
            Err(StoreError::Corrupt(_)) => Err(KeyError::Broken),
            Err(other) => return Err(other.into()),
        };
        match row.and_then(|row| address(&self.keyring, leaf, &row)) {
            Ok(address) => entry.client_address = Some(address.to_string()),
            Err(KeyError::Broken) => {
                tracing::error!(
                    entry = entry.index,
                    "the address beside an entry is not as the vault wrote it: run `callervault fsck`"
                );
                entry.client_unproved = true;
            }
            Err(other) => return Err(other.into()),
        }
        Ok(())
    }
}
