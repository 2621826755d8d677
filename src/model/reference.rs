//! What a department sees instead of a caller or a ticket: references, in Crockford's base 32.
//!
//! `DDVB-BBBB-BBBB-BBCC`: two characters of the department's code, one of kind and version, eleven of body (55 bits),
//! two check characters. Each character is 5 bits, from `0-9 A-H J K M N P-T V-Z`.

use super::crockford::{self, BadText, character, check_values, value_of};
use super::ids::RecordKind;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Characters before the two check characters.
const PAYLOAD: usize = 14;

/// A department's code: two characters, the first two of all its references.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DepartmentCode([u8; 2]);

impl DepartmentCode {
    /// Reserved: the domain of the auditors' own pseudonyms. No department has it.
    pub const AUDITORS: Self = Self(*b"00");

    /// The two characters, upper case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Always ASCII: both characters are from the alphabet.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The two characters as ASCII, upper case.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 2] {
        &self.0
    }
}

impl FromStr for DepartmentCode {
    type Err = BadDepartmentCode;

    /// Reads two characters; lower case is read as upper, I and L as 1, O as 0.
    fn from_str(text: &str) -> Result<Self, BadDepartmentCode> {
        let typed: [u8; 2] = text.as_bytes().try_into().map_err(|_| BadDepartmentCode)?;
        match typed.map(value_of) {
            [Some(first), Some(second)] => Ok(Self([character(first.into()), character(second.into())])),
            _ => Err(BadDepartmentCode),
        }
    }
}

impl fmt::Display for DepartmentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for DepartmentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DepartmentCode({self})")
    }
}

/// A department's pseudonym for a caller or a ticket. It means nothing to another department and nothing without the
/// vault. Sorts as its text does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    department: DepartmentCode,
    kind: RecordKind,
    version: u8,
    body: u64,
}

impl Reference {
    /// Bits of a body.
    pub const BODY_BITS: u32 = 55;

    /// The reference with these parts; `None` unless `version` is 1 to 15 and `body` is below 2^55.
    #[must_use]
    pub const fn new(department: DepartmentCode, kind: RecordKind, version: u8, body: u64) -> Option<Self> {
        if matches!(version, 1..=15) && body >> Self::BODY_BITS == 0 {
            Some(Self {
                department,
                kind,
                version,
                body,
            })
        } else {
            None
        }
    }

    /// The department that it was made for.
    #[must_use]
    pub const fn department(&self) -> DepartmentCode {
        self.department
    }

    /// Whether it stands for a caller or a ticket.
    #[must_use]
    pub const fn kind(&self) -> RecordKind {
        self.kind
    }

    /// Whether it stands for a caller.
    #[must_use]
    pub const fn is_caller(&self) -> bool {
        matches!(self.kind, RecordKind::Caller)
    }

    /// Which version, 1 to 15, of the department's references it is.
    #[must_use]
    pub const fn version(&self) -> u8 {
        self.version
    }

    /// The 55 bits that tell it from others with the same department, kind and version.
    #[must_use]
    pub const fn body(&self) -> u64 {
        self.body
    }

    /// Where a text that is no reference has one wrong character, from 1, hyphens aside, and what it should be. To be told, never to be
    /// taken: somebody else's reference may be meant.
    #[must_use]
    pub fn one_wrong(text: &str) -> Option<(usize, char)> {
        let values = crockford::values_of::<16>(text).ok()?;
        let (position, value) = crockford::one_wrong(&values)?;
        Some((position + 1, char::from(character(value.into()))))
    }

    /// The 16 characters without hyphens, as ASCII.
    fn characters(&self) -> [u8; 16] {
        let [first, second] = self.department.0;
        let kind_and_version = ((self.kind as u64) << 4) | u64::from(self.version);
        let mut text = [0; 16];
        text[..2].copy_from_slice(&[first, second]);
        text[2] = character(kind_and_version);
        for (place, digit) in text[3..PAYLOAD].iter_mut().rev().enumerate() {
            *digit = character(self.body >> (5 * place));
        }
        let values = text.map(|digit| value_of(digit).unwrap_or_default());
        let [c1, c2] = check_values(&values[..PAYLOAD]);
        text[PAYLOAD..].copy_from_slice(&[character(c1.into()), character(c2.into())]);
        text
    }

    /// The reference with these 16 values, if their check holds.
    fn from_values(values: &[u8; 16]) -> Result<Self, BadReference> {
        let (payload, check) = values.split_at(PAYLOAD);
        if check != check_values(payload) {
            return Err(BadReference::Check);
        }
        let [first, second, kind_and_version, ..] = values.map(u64::from);
        let department = DepartmentCode([character(first), character(second)]);
        let kind = if kind_and_version & 16 == 0 {
            RecordKind::Caller
        } else {
            RecordKind::Ticket
        };
        let body = payload[3..]
            .iter()
            .fold(0, |body, &value| (body << 5) | u64::from(value));
        Self::new(department, kind, values[2] & 15, body).ok_or(BadReference::Character)
    }
}

impl FromStr for Reference {
    type Err = BadReference;

    /// Reads a reference as shown or as typed: hyphens may be left out, lower case is read as upper, I and L as 1,
    /// O as 0. Nothing is corrected beyond that.
    fn from_str(text: &str) -> Result<Self, BadReference> {
        Self::from_values(&crockford::values_of(text)?)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crockford::grouped(&self.characters(), f)
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reference({self})")
    }
}

impl Serialize for DepartmentCode {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DepartmentCode {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // The format's own error would repeat a value that is no string.
        let text = String::deserialize(from).map_err(|_| D::Error::custom(BadDepartmentCode))?;
        text.parse().map_err(D::Error::custom)
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // The format's own error would repeat a value that is no string.
        let text = String::deserialize(from).map_err(|_| D::Error::custom("a reference is a string"))?;
        text.parse().map_err(D::Error::custom)
    }
}

/// The text is not two characters of Crockford's alphabet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a department code is a string of two characters, digits or letters except I, L, O and U")]
pub struct BadDepartmentCode;

/// Why a text is no reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadReference {
    /// Not 16 characters, hyphens aside.
    #[error("a reference has 16 characters, four groups of four")]
    Length,
    /// A character outside the alphabet, a hyphen out of place, or a version (0) that is never issued.
    #[error("the text holds a character that has no place in a reference")]
    Character,
    /// The check characters do not fit: something was misread or mistyped.
    #[error("the check characters do not fit: a character was misread or mistyped")]
    Check,
}

impl From<BadText> for BadReference {
    fn from(bad: BadText) -> Self {
        match bad {
            BadText::Length => Self::Length,
            BadText::Character => Self::Character,
        }
    }
}
