//! `Submitted`: a personal value on its way in.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, MapAccess, Visitor};
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

/// Reads values by field name and refuses a name that comes twice: which of the two was meant, nobody can tell. No name
/// that came in is quoted.
///
/// # Errors
/// Where it is no object of strings, or a name is repeated.
pub(crate) fn by_name<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Submitted>, D::Error> {
    from.deserialize_map(ByName::<Submitted>(PhantomData))
}

/// As [`by_name`]; a value may be `null`, as systems write it where they have none, and is then left out.
///
/// # Errors
/// As [`by_name`].
pub(crate) fn stated_by_name<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Submitted>, D::Error> {
    let values = from.deserialize_map(ByName::<Option<Submitted>>(PhantomData))?;
    let stated = values.into_iter().filter_map(|(name, value)| Some((name, value?)));
    Ok(stated.collect())
}

struct ByName<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for ByName<V> {
    type Value = BTreeMap<String, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("values by field name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = BTreeMap::new();
        while let Some((name, value)) = map.next_entry()? {
            if values.insert(name, value).is_some() {
                return Err(A::Error::custom("a name comes twice"));
            }
        }
        Ok(values)
    }
}
