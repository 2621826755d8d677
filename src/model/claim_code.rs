//! The code by which an account's owner fetches their token: read aloud or written on paper, typed once.
//!
//! `BBBB-BBBB-BBBB-BBBB-CC` in Crockford's base 32: sixteen random characters (80 bits), two check characters. Who mistypes it hears that
//! before it counts as a wrong one.

use std::str::FromStr;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::crockford::{character, check_values, values_of};
use crate::randomness::{NoRandomness, Randomness};

/// Random characters.
const RANDOM: usize = 16;
/// With the check characters.
const ALL: usize = RANDOM + 2;

/// A one-time code. No `Debug`, no `Display`, no `Clone`; wiped from memory when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct ClaimCode([u8; RANDOM]);

/// A text that is no such code: its length, a character or the check is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mistyped;

impl ClaimCode {
    /// A new code.
    ///
    /// # Errors
    /// Without randomness.
    pub fn random(randomness: &dyn Randomness) -> Result<Self, NoRandomness> {
        let mut values = [0; RANDOM];
        randomness.fill(&mut values)?;
        Ok(Self(values.map(|value| value & 31)))
    }

    /// The random part, for a keyed code of it.
    #[must_use]
    pub(crate) const fn as_bytes(&self) -> &[u8; RANDOM] {
        &self.0
    }

    /// As it is shown, once.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let check = check_values(&self.0);
        let mut text = Zeroizing::new(String::with_capacity(ALL + ALL / 4));
        for (at, &value) in self.0.iter().chain(&check).enumerate() {
            if at > 0 && at % 4 == 0 {
                text.push('-');
            }
            text.push(char::from(character(value.into())));
        }
        text
    }
}

impl FromStr for ClaimCode {
    type Err = Mistyped;

    /// Reads a code as typed: hyphens may be left out, lower case is read as upper, I and L as 1, O as 0.
    fn from_str(text: &str) -> Result<Self, Mistyped> {
        let values = Zeroizing::new(values_of::<ALL>(text.trim()).map_err(|_| Mistyped)?);
        let (random, check) = values.split_at(RANDOM);
        let random: [u8; RANDOM] = random.try_into().map_err(|_| Mistyped)?;
        let code = Self(random);
        if *check == check_values(&code.0) {
            Ok(code)
        } else {
            Err(Mistyped)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::System;

    #[test]
    fn what_is_shown_is_read_back_however_it_is_typed() {
        let code = ClaimCode::random(&System).unwrap();
        let text = code.to_text();
        assert_eq!(text.len(), 22, "{}", *text);
        for typed in [
            text.to_string(),
            text.to_lowercase(),
            text.replace('-', ""),
            format!(" {}\n", *text),
            text.replace('1', "l").replace('0', "O"),
        ] {
            let read: ClaimCode = typed.parse().ok().unwrap();
            assert!(read.as_bytes() == code.as_bytes(), "{typed}");
        }
    }

    #[test]
    fn two_wrong_characters_are_mistyped() {
        let text = ClaimCode([7; RANDOM]).to_text();
        for one in 0..text.len() {
            for other in one..text.len() {
                let wrong: String = text
                    .char_indices()
                    .map(|(at, c)| {
                        if c != '-' && (at == one || at == other) {
                            if c == 'Z' { 'Y' } else { 'Z' }
                        } else {
                            c
                        }
                    })
                    .collect();
                let same = wrong == *text;
                assert_eq!(wrong.parse::<ClaimCode>().is_ok(), same, "{wrong}");
            }
        }
        for text in [
            "",
            "7777-7777-7777-7777",
            "7777-7777-7777-7777-7777",
            "7777_7777_7777_7777_77",
        ] {
            assert!(text.parse::<ClaimCode>().is_err(), "{text}");
        }
    }

    #[test]
    fn eighty_bits_and_no_two_alike() {
        let codes: std::collections::BTreeSet<_> = (0..1000)
            .map(|_| ClaimCode::random(&System).unwrap().to_text().to_string())
            .collect();
        assert_eq!(codes.len(), 1000);
    }
}
