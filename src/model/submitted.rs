//! `Submitted`: a personal value on its way in.

use serde::{Deserialize, Deserializer};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A personal value that came in and may be sealed, and never shown: no `Debug`, `Display`, `Clone` or `Serialize`.
/// Wiped from memory when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Submitted(String);

impl Submitted {
    /// Takes a value in.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The value, for validation, sealing and blind indexing inside the vault only.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Submitted {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self)
    }
}
