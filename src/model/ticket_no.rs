//! The ticket number a caller is given: 14 digits, the last two a check.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Digits before the two check digits.
const SERIAL_DIGITS: usize = 12;

/// A ticket's number as the caller knows it, `NNNN NNNN NNNN KK`: a serial of 12 digits and its check digits by
/// ISO 7064 MOD 97-10. Nothing can be counted from it if the serials are random.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TicketNo([u8; 14]);

impl TicketNo {
    /// Serials are below this: 10^12.
    pub const SERIALS: u64 = 1_000_000_000_000;

    /// The number with that serial; `None` from 10^12 on. A caller drawing serials at random draws again then, so that
    /// each is as likely as any other.
    #[must_use]
    pub fn new(serial: u64) -> Option<Self> {
        if serial >= Self::SERIALS {
            return None;
        }
        // ISO 7064 MOD 97-10: the whole number, check digits included, leaves 1.
        let shifted = serial * 100;
        let mut rest = shifted + (98 - shifted % 97);
        let mut digits = [0; 14];
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        Some(Self(digits))
    }

    /// The 14 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Always ASCII: only digits are written.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The digits as they are read out and printed: `NNNN NNNN NNNN KK`.
    #[must_use]
    pub fn grouped(&self) -> String {
        let groups: Vec<_> = self.0.chunks(4).map(String::from_utf8_lossy).collect();
        groups.join(" ")
    }
}

/// Reads 14 digits, with or without one space or hyphen between the groups.
fn digits_of(text: &str) -> Result<[u8; 14], BadTicketNo> {
    let mut digits = [0; 14];
    let mut count = 0;
    let mut after_gap = false;
    for typed in text.bytes() {
        if matches!(typed, b' ' | b'-') && matches!(count, 4 | 8 | 12) && !after_gap {
            after_gap = true;
            continue;
        }
        if !typed.is_ascii_digit() {
            return Err(BadTicketNo::Character);
        }
        *digits.get_mut(count).ok_or(BadTicketNo::Length)? = typed;
        count += 1;
        after_gap = false;
    }
    if count == digits.len() {
        Ok(digits)
    } else {
        Err(BadTicketNo::Length)
    }
}

impl FromStr for TicketNo {
    type Err = BadTicketNo;

    /// Reads a number as shown or as typed: one space or hyphen may stand between the groups.
    fn from_str(text: &str) -> Result<Self, BadTicketNo> {
        let digits = digits_of(text)?;
        let serial = digits[..SERIAL_DIGITS]
            .iter()
            .fold(0, |serial, digit| serial * 10 + u64::from(digit - b'0'));
        // Compared whole, so that 00, 01 and 99 do not pass for 97, 98 and 02.
        Self::new(serial)
            .filter(|number| number.0 == digits)
            .ok_or(BadTicketNo::Check)
    }
}

impl fmt::Display for TicketNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for TicketNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TicketNo({self})")
    }
}

impl Serialize for TicketNo {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for TicketNo {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // The format's own error would repeat a value that is no string.
        let text = String::deserialize(from).map_err(|_| D::Error::custom("a ticket number is a string"))?;
        text.parse().map_err(D::Error::custom)
    }
}

/// Why a text is no ticket number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTicketNo {
    /// Not 14 digits.
    #[error("a ticket number has 14 digits")]
    Length,
    /// Something other than digits, or a space or hyphen that is not between the groups.
    #[error("a ticket number holds digits only, grouped 4 4 4 2")]
    Character,
    /// The check digits do not fit: something was misheard or mistyped.
    #[error("the check digits do not fit: a digit was misheard or mistyped")]
    Check,
}
