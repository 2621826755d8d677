//! Trace marks: what is printed beside personal data that has been shown, so that a copy passed on names its reader.
//!
//! `BBBB-BBBB-BBCC`: the first 50 bits of the leaf hash of the read, and two check characters. Whoever holds the log finds
//! the leaf by it; to anybody else it says nothing.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::merkle::Hash;
use crate::model::crockford::{self, character, check_values, value_of};

const PAYLOAD: usize = 10;
const LENGTH: usize = 12;
const BITS: u32 = 50;

/// A trace mark.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(u64);

impl Mark {
    /// The mark of the read whose leaf has this hash.
    #[must_use]
    pub fn of(leaf: &Hash) -> Self {
        let (first, _) = leaf.as_bytes().split_at(8);
        let first = first.iter().fold(0, |bits, &byte| (bits << 8) | u64::from(byte));
        Self(first >> (u64::BITS - BITS))
    }

    /// Its 50 bits.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; LENGTH];
        for (place, digit) in text[..PAYLOAD].iter_mut().rev().enumerate() {
            *digit = character(self.0 >> (5 * place));
        }
        let values = text.map(|digit| value_of(digit).unwrap_or_default());
        let [c1, c2] = check_values(&values[..PAYLOAD]);
        text[PAYLOAD..].copy_from_slice(&[character(c1.into()), character(c2.into())]);
        crockford::grouped(&text, f)
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mark({self})")
    }
}

impl FromStr for Mark {
    type Err = BadMark;

    /// Reads a mark as printed or as typed: hyphens may be left out, lower case is read as upper, I and L as 1, O as 0.
    fn from_str(text: &str) -> Result<Self, BadMark> {
        let values = crockford::values_of::<LENGTH>(text).map_err(|_| BadMark::Text)?;
        let (payload, check) = values.split_at(PAYLOAD);
        if check != check_values(payload) {
            return Err(BadMark::Check);
        }
        Ok(Self(
            payload.iter().fold(0, |bits, &value| (bits << 5) | u64::from(value)),
        ))
    }
}

impl Serialize for Mark {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// Why a text is no trace mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMark {
    /// Not twelve characters of the alphabet.
    #[error("a trace mark has twelve characters, three groups of four")]
    Text,
    /// The check characters do not fit: something was misread or mistyped.
    #[error("the check characters do not fit: a character was misread or mistyped")]
    Check,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_is_written() {
        let leaf = crate::merkle::leaf_hash(b"a read");
        let mark = Mark::of(&leaf);
        let text = mark.to_string();
        assert_eq!(text.len(), 14);
        let hash = leaf.as_bytes().iter().map(|byte| format!("{byte:08b}"));
        assert_eq!(format!("{:050b}", mark.bits()), hash.collect::<String>()[..50]);
        assert_eq!(text.parse(), Ok(mark));
        assert_eq!(text.to_lowercase().replace('-', "").parse(), Ok(mark));
        assert_ne!(Mark::of(&crate::merkle::leaf_hash(b"another")), mark);
    }

    #[test]
    fn two_wrong_characters_are_found() {
        let text = Mark::of(&crate::merkle::leaf_hash(b"a read"))
            .to_string()
            .replace('-', "");
        let typed: Vec<char> = text.chars().collect();
        for first in 0..typed.len() {
            for second in first + 1..typed.len() {
                let mut wrong = typed.clone();
                for place in [first, second] {
                    wrong[place] = if wrong[place] == '7' { '8' } else { '7' };
                }
                let wrong: String = wrong.into_iter().collect();
                assert_eq!(wrong.parse::<Mark>(), Err(BadMark::Check), "{first} {second}");
            }
        }
    }
}
