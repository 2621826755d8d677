//! One share, and how it is written: Bech32m (BIP 350), whose check names each mistyped share as such.
//!
//! `cvshare1` ‖ Bech32m of vault(5) ‖ generation(2, big-endian) ‖ set(5) ‖ threshold(1) ‖ number(1) ‖ value(32). Its 88 characters are within
//! the 90 for which the check finds up to four wrong ones for certain; of more, one text in 2³⁰ passes.
//!
//! The set is the beginning of SHA-256 of the wrapped root key that the shares open. A generation may come twice: after a change that was broken
//! off, and beside an older copy of the key store. A set never does.

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32m, ByteIterExt, Fe32IterExt, Hrp};
use ring::digest::{SHA256, digest};

use super::{OpensBy, of_way};
use crate::keyring::KeyError;
use crate::keyring::memory::{KEY_LEN, Secret};
use crate::keyring::passphrase::Incoming;
use crate::keyring::stack::Stacks;
use crate::store::rows::{UnlockRow, VaultRow};

const PREFIX: Hrp = Hrp::parse_unchecked("cvshare");
const BEGINS: &[u8] = b"cvshare1";
/// Bytes of the vault's id: enough to tell vaults apart.
const VAULT_LEN: usize = 5;
/// Bytes of what tells the shares of one wrapping from all others.
const SET_LEN: usize = 5;
const MARK_LEN: usize = VAULT_LEN + 2 + SET_LEN + 2;
/// Characters in a group, for people; groups in a line.
const GROUP: usize = 4;
const LINE: usize = 11;

/// What a share says of itself. It is no secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// The beginning of the vault's id.
    pub(super) vault: [u8; VAULT_LEN],
    pub(super) generation: u16,
    pub(super) set: [u8; SET_LEN],
    pub(super) threshold: u8,
    /// From 1.
    pub(super) number: u8,
}

impl Mark {
    pub(super) fn of_vault(vault: &VaultRow) -> [u8; VAULT_LEN] {
        vault.vault.first_chunk().copied().unwrap_or_default()
    }

    /// The set that opens this wrapping of the root key.
    pub(super) fn of_wrapping(row: &UnlockRow) -> [u8; SET_LEN] {
        let digest = digest(&SHA256, &row.wrapped_root);
        digest.as_ref().first_chunk().copied().unwrap_or_default()
    }

    const fn to_bytes(self) -> [u8; MARK_LEN] {
        let [a, b, c, d, e] = self.vault;
        let [high, low] = self.generation.to_be_bytes();
        let [k, l, m, n, o] = self.set;
        [a, b, c, d, e, high, low, k, l, m, n, o, self.threshold, self.number]
    }

    const fn from_bytes(bytes: [u8; MARK_LEN]) -> Self {
        let [a, b, c, d, e, high, low, k, l, m, n, o, threshold, number] = bytes;
        Self {
            vault: [a, b, c, d, e],
            generation: u16::from_be_bytes([high, low]),
            set: [k, l, m, n, o],
            threshold,
            number,
        }
    }
}

/// One share of the key that opens the root key, its value on a locked page. No `Debug`, no `Clone`.
pub struct Share {
    pub(super) mark: Mark,
    pub(super) value: Secret,
}

impl Share {
    /// Whether somebody means a share by this, and no passphrase: it begins like one.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        let mut there = typed(text);
        BEGINS.iter().all(|&byte| there.next() == Some(byte))
    }

    /// Reads a share. Spaces, hyphens and capitals do not matter.
    ///
    /// # Errors
    /// [`KeyError::BadShare`] where its check does not fit; [`KeyError::MemoryNotLocked`].
    pub fn read(text: &str) -> Result<Self, KeyError> {
        let mut plain = Incoming::new()?;
        for byte in typed(text) {
            if !plain.add(&[byte]) {
                return Err(KeyError::BadShare);
            }
        }
        let mut value = Secret::empty()?;
        let mut mark = [0; MARK_LEN];
        Stacks::default().run(|| {
            let checked = CheckedHrpstring::new::<Bech32m>(plain.text()).map_err(|_| KeyError::BadShare)?;
            let bytes = checked.byte_iter();
            if checked.hrp() != PREFIX || bytes.len() != MARK_LEN + KEY_LEN {
                return Err(KeyError::BadShare);
            }
            let room = mark.iter_mut().chain(value.bytes_mut());
            room.zip(bytes).for_each(|(to, byte)| *to = byte);
            Ok(())
        })??;
        let mark = Mark::from_bytes(mark);
        if mark.generation == 0 || mark.threshold < 2 || mark.number == 0 {
            return Err(KeyError::BadShare);
        }
        Ok(Self { mark, value })
    }

    /// As it is written into a file, in one piece.
    ///
    /// # Errors
    /// [`KeyError::MemoryNotLocked`].
    pub fn text(&self) -> Result<Incoming, KeyError> {
        self.written(|_| "")
    }

    /// As people read it, in groups and on two lines.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn grouped(&self) -> Result<Incoming, KeyError> {
        self.written(|at| match at {
            0 => "",
            at if at % (GROUP * LINE) == 0 => "\n    ",
            at if at % GROUP == 0 => " ",
            _ => "",
        })
    }

    fn written(&self, before: impl Fn(usize) -> &'static str) -> Result<Incoming, KeyError> {
        let mut page = Incoming::new()?;
        let whole = Stacks::default().run(|| {
            let mark = self.mark.to_bytes();
            let bytes = mark.iter().chain(self.value.bytes()).copied();
            let letters = bytes.bytes_to_fes().with_checksum::<Bech32m>(&PREFIX).chars();
            let mut put = |(at, letter): (usize, char)| {
                page.add(before(at).as_bytes()) && page.add(letter.encode_utf8(&mut [0; 4]).as_bytes())
            };
            letters.enumerate().all(&mut put)
        })?;
        if whole { Ok(page) } else { Err(KeyError::BadShare) }
    }

    /// Its number among the shares of its generation, from 1.
    #[must_use]
    pub const fn number(&self) -> u8 {
        self.mark.number
    }

    /// Whether it is of this vault, and of the wrapping in force. Whether its value is right, only the whole set tells.
    ///
    /// # Errors
    /// [`KeyError::ForeignShare`], [`KeyError::OlderShare`], [`KeyError::NewerShare`], [`KeyError::ShareOfOtherSet`];
    /// [`KeyError::OtherWay`]; [`KeyError::RootDamaged`].
    pub fn fits(&self, vault: &VaultRow, ways: &[UnlockRow]) -> Result<(), KeyError> {
        if self.mark.vault != Mark::of_vault(vault) {
            return Err(KeyError::ForeignShare);
        }
        let (of, now) = (u32::from(self.mark.generation), newest(ways));
        if of < now {
            return Err(KeyError::OlderShare { of, now });
        }
        if of > now {
            return Err(KeyError::NewerShare { of, now });
        }
        let row = of_way(OpensBy::Shares, ways)?;
        if self.mark.set != Mark::of_wrapping(row) {
            return Err(KeyError::ShareOfOtherSet(now));
        }
        if self.mark.threshold != row.threshold || self.mark.number > row.shares {
            return Err(KeyError::ForeignShare);
        }
        Ok(())
    }
}

fn newest(ways: &[UnlockRow]) -> u32 {
    ways.iter().map(|row| row.generation).max().unwrap_or_default()
}

/// What was typed, without what people put between groups, in small letters.
fn typed(text: &str) -> impl Iterator<Item = u8> {
    let letters = text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'-');
    letters.map(|byte| byte.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share() -> Share {
        let mut value = Secret::empty().unwrap();
        for (at, byte) in (0..).zip(value.bytes_mut()) {
            *byte = at;
        }
        let mark = Mark {
            vault: [0xc0, 0xff, 0xee, 0x00, 0x01],
            generation: 2,
            set: [0xa1, 0xa2, 0xa3, 0xa4, 0xa5],
            threshold: 3,
            number: 5,
        };
        Share { mark, value }
    }

    fn refused(text: &str) -> Option<KeyError> {
        Share::read(text).err()
    }

    /// Bytes that were put together by hand; the check by the reference implementation of BIP 350 in Python.
    #[test]
    fn it_is_written_as_the_standard_says() {
        let text = share().text().unwrap();
        let text = text.text();
        assert_eq!(text.len(), 88);
        assert_eq!(text, KNOWN);
        let (hrp, bytes) = bech32::decode(text).unwrap();
        assert_eq!(hrp.to_string(), "cvshare");
        assert_eq!(bytes[..7], [0xc0, 0xff, 0xee, 0x00, 0x01, 0, 2]);
        assert_eq!(bytes[7..14], [0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 3, 5]);
        assert_eq!(bytes[14..], share().value.bytes()[..]);
    }

    const KNOWN: &str = "cvshare1crl7uqqpqqp2rg4r5jjsxpgqqypqxpq9qcrsszg2pvxq6rs0zqg3yyc5z5tpwxqergd3c8g7ru34ume9";

    #[test]
    fn people_may_type_it_as_they_like() {
        let grouped = share().grouped().unwrap();
        let grouped = grouped.text();
        assert_eq!(grouped.lines().count(), 2);
        assert!(grouped.starts_with("cvsh are1 "), "{grouped}");
        for text in [
            grouped.to_owned(),
            grouped.to_uppercase(),
            grouped.replace(' ', "-"),
            format!("  {KNOWN}\n"),
        ] {
            assert!(Share::is_meant(&text));
            let read = Share::read(&text).ok().unwrap();
            assert!(read.mark == share().mark && read.value.bytes() == share().value.bytes());
        }
        assert!(!Share::is_meant("cvshares are not meant") && !Share::is_meant("cv"));
    }

    /// Any letter for any other, and any two neighbours changed about.
    #[test]
    fn a_mistyped_share_is_no_share() {
        for (at, _) in KNOWN.char_indices() {
            for letter in "qpzry9x8gf2tvdw0s3jn54khce6mua7l1bio ".chars() {
                let mut other = KNOWN.to_owned();
                other.replace_range(at..=at, &letter.to_string());
                if other != KNOWN {
                    assert_eq!(refused(&other), Some(KeyError::BadShare), "{other}");
                }
            }
            let mut swapped = KNOWN.as_bytes().to_vec();
            let next = (at + 1).min(swapped.len() - 1);
            swapped.swap(at, next);
            let swapped = String::from_utf8(swapped).unwrap();
            if swapped != KNOWN {
                assert_eq!(refused(&swapped), Some(KeyError::BadShare), "{swapped}");
            }
        }
        for at in 0..KNOWN.len() {
            assert_eq!(refused(&KNOWN[..at]), Some(KeyError::BadShare));
        }
        for text in [
            "",
            "correct horse battery staple",
            &format!("{KNOWN}q"),
            &"q".repeat(5000),
        ] {
            assert_eq!(refused(text), Some(KeyError::BadShare), "{text}");
        }
    }

    /// The check of another kind of text (an address, an age key) does not make it a share; nor does a mark that no share has.
    #[test]
    fn what_has_a_check_of_its_own_is_no_share_either() {
        let encode = |hrp: &str, bytes: &[u8]| bech32::encode::<Bech32m>(Hrp::parse(hrp).unwrap(), bytes).unwrap();
        let mark = |generation, threshold, number| {
            let mark = Mark {
                generation,
                threshold,
                number,
                ..share().mark
            };
            [&mark.to_bytes()[..], &[7; 32]].concat()
        };
        assert!(Share::read(&encode("cvshare", &mark(1, 2, 1))).is_ok());
        for text in [
            encode("cvshares", &mark(1, 2, 1)),
            encode("age", &[7; 32]),
            encode("cvshare", &[7; 45]),
            encode("cvshare", &[7; 47]),
            encode("cvshare", &mark(0, 2, 1)),
            encode("cvshare", &mark(1, 1, 1)),
            encode("cvshare", &mark(1, 2, 0)),
        ] {
            assert_eq!(refused(&text), Some(KeyError::BadShare), "{text}");
        }
    }
}
