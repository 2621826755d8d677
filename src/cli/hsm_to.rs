//! A hardware module under whose key the root key is to be.

use std::path::PathBuf;

use clap::Args;

use super::Failure;
use super::passphrase::{NewPassphraseFrom, PassphraseFrom, pin, typed_pin};
use crate::keyring::unlock::{Hsm, HsmKey, Pin};

/// The label of a key that nobody named.
const KEY: &str = "callervault";

/// For a new vault.
#[derive(Args)]
pub(super) struct HsmTo {
    /// Open by a key of a hardware module: the path of its PKCS #11 library. Its PIN is read in place of the passphrase.
    #[arg(long, value_name = "LIBRARY", requires = "token", conflicts_with = "shares")]
    pkcs11: Option<PathBuf>,
    /// Label of the token in the hardware module.
    #[arg(long, value_name = "LABEL", requires = "pkcs11")]
    token: Option<String>,
    /// Label of an AES key in the token. It is made, if there is none, and never leaves the module [default: callervault].
    #[arg(long, value_name = "LABEL", requires = "pkcs11")]
    key: Option<String>,
}

impl HsmTo {
    /// The key, once its PIN was read, if one is named.
    pub(super) fn key(&self, from: &PassphraseFrom) -> Result<Option<HsmKey>, Failure> {
        named([&self.token, &self.key], self.pkcs11.as_ref(), || pin(from))
    }
}

/// For a vault that opens in another way so far, or by another key.
#[derive(Args)]
pub(super) struct NewHsmTo {
    /// Open from now on by a key of a hardware module: the path of its PKCS #11 library. Its PIN is read in place of the new passphrase.
    #[arg(long, value_name = "LIBRARY", requires = "new_token", conflicts_with = "shares")]
    new_pkcs11: Option<PathBuf>,
    /// Label of the token in the hardware module.
    #[arg(long, value_name = "LABEL", requires = "new_pkcs11")]
    new_token: Option<String>,
    /// Label of an AES key in the token. It is made, if there is none, and never leaves the module [default: callervault].
    #[arg(long, value_name = "LABEL", requires = "new_pkcs11")]
    new_key: Option<String>,
}

impl NewHsmTo {
    /// As [`HsmTo::key`].
    pub(super) fn key(&self, from: &NewPassphraseFrom) -> Result<Option<HsmKey>, Failure> {
        named([&self.new_token, &self.new_key], self.new_pkcs11.as_ref(), || {
            from.pin()
        })
    }
}

fn named(
    [token, key]: [&Option<String>; 2],
    module: Option<&PathBuf>,
    pin: impl FnOnce() -> Result<Option<Pin>, Failure>,
) -> Result<Option<HsmKey>, Failure> {
    let Some(module) = module else { return Ok(None) };
    let hsm = Hsm {
        module: module.clone(),
        pin: pin()?.map_or_else(typed_pin, Ok)?,
    };
    Ok(Some(HsmKey {
        hsm,
        token: token.clone().unwrap_or_default(),
        key: key.clone().unwrap_or_else(|| KEY.to_owned()),
    }))
}
