//! Secrets that people type or send: a passphrase, and what comes in piece by piece. Each lies on a locked page.

use std::io::{ErrorKind, Read};

use zeroize::Zeroizing;

use super::KeyError;
use super::memory::LockedPage;

/// A passphrase, on a locked page, wiped when dropped. No `Debug`.
pub struct Passphrase(Incoming);

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
pub enum NoPassphrase {
    /// It could not be read.
    #[error(transparent)]
    NotRead(#[from] std::io::Error),
    /// It is no passphrase, or the system does not lock memory for it.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Passphrase {
    /// Takes a passphrase of 12 to 1,024 bytes. Where it can be read instead, [`Self::first_line`] makes no copy.
    ///
    /// # Errors
    /// [`KeyError::BadPassphrase`] for any other length; [`KeyError::MemoryNotLocked`].
    pub fn new(text: Zeroizing<String>) -> Result<Self, KeyError> {
        Self::of(&text)
    }

    /// As `new`, of a text that is wiped elsewhere.
    ///
    /// # Errors
    /// As `new`.
    pub fn of(text: &str) -> Result<Self, KeyError> {
        Self::on(Incoming::of(text)?.ok_or(KeyError::BadPassphrase)?)
    }

    /// Reads the first line, UTF-8 text of 12 to 1,024 bytes, straight onto the locked page. What the source gives behind that
    /// line in the same read is wiped with the page.
    ///
    /// # Errors
    /// [`NoPassphrase`].
    pub fn first_line(from: impl Read) -> Result<Self, NoPassphrase> {
        Ok(Self::on(Incoming::first_line(from)?)?)
    }

    /// Whether the two are the same.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }

    /// The text, for whoever sends it to a server.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.text()
    }

    fn on(typed: Incoming) -> Result<Self, KeyError> {
        let is_one = (12..=1024).contains(&typed.bytes().len()) && !typed.text().is_empty();
        is_one.then_some(Self(typed)).ok_or(KeyError::BadPassphrase)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }
}

/// The PIN of a hardware module, on a locked page, wiped when dropped. No `Debug`.
pub struct Pin(Incoming);

impl Pin {
    /// Takes a PIN of 1 to 255 bytes, of a text that is wiped elsewhere.
    ///
    /// # Errors
    /// [`KeyError::BadPin`] for any other length; [`KeyError::MemoryNotLocked`].
    pub fn of(text: &str) -> Result<Self, KeyError> {
        Self::on(Incoming::of(text)?.ok_or(KeyError::BadPin)?)
    }

    /// Reads the first line, straight onto the locked page.
    ///
    /// # Errors
    /// [`NoPassphrase`].
    pub fn first_line(from: impl Read) -> Result<Self, NoPassphrase> {
        Ok(Self::on(Incoming::first_line(from)?)?)
    }

    /// The text, for the module and for whoever sends it to a server.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.text()
    }

    fn on(typed: Incoming) -> Result<Self, KeyError> {
        let is_one = typed.bytes().len() <= 255 && !typed.text().is_empty();
        is_one.then_some(Self(typed)).ok_or(KeyError::BadPin)
    }
}

/// A secret that comes in piece by piece, onto a locked page. Wiped when dropped. No `Debug`.
pub struct Incoming {
    page: LockedPage,
    len: usize,
}

impl Incoming {
    /// Nothing of it yet.
    ///
    /// # Errors
    /// [`KeyError::MemoryNotLocked`].
    pub fn new() -> Result<Self, KeyError> {
        let page = LockedPage::new()?;
        Ok(Self { page, len: 0 })
    }

    /// All of it at once; nothing where it does not fit.
    fn of(text: &str) -> Result<Option<Self>, KeyError> {
        let mut whole = Self::new()?;
        Ok(whole.add(text.as_bytes()).then_some(whole))
    }

    /// The first line. What the source gives behind it in the same read is wiped with the page.
    fn first_line(mut from: impl Read) -> Result<Self, NoPassphrase> {
        let mut page = LockedPage::new()?;
        let mut len = 0;
        let end = loop {
            let room = page.bytes_mut().get_mut(len..).unwrap_or_default();
            let read = match from.read(room) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => read?,
            };
            len += read;
            let line = page.bytes().get(..len).unwrap_or_default();
            if let Some(end) = line.iter().position(|&byte| byte == b'\n') {
                break end;
            }
            if read == 0 {
                break len;
            }
        };
        let line = page.bytes().get(..end).unwrap_or_default();
        let len = line.strip_suffix(b"\r").unwrap_or(line).len();
        Ok(Self { page, len })
    }

    /// Adds a piece. Whether it fits: a page holds 4,096 bytes.
    #[must_use]
    pub fn add(&mut self, piece: &[u8]) -> bool {
        let end = self.len + piece.len();
        let Some(room) = self.page.bytes_mut().get_mut(self.len..end) else {
            return false;
        };
        room.copy_from_slice(piece);
        self.len = end;
        true
    }

    /// The same as text; nothing where it is none.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(self.bytes()).unwrap_or_default()
    }

    /// What has come in.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.page.bytes().get(..self.len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As from a pipe or a terminal.
    #[test]
    fn a_line_may_come_in_pieces() {
        let begins = || b"twelve".chain(&b" by"[..]);
        for rest in [&b"tes"[..], b"tes\n", b"tes\r\nanother line"] {
            let read = Passphrase::first_line(begins().chain(rest)).ok().unwrap();
            assert_eq!(read.text(), "twelve bytes");
        }
        assert!(Passphrase::first_line(begins()).is_err(), "too short");
    }

    #[test]
    fn another_passphrase_is_another_one() {
        let of = |text| Passphrase::of(text).ok().unwrap();
        assert!(of("twelve bytes").is(&of("twelve bytes")));
        assert!(!of("twelve bytes").is(&of("twelve byteS")));
        assert!(!of("twelve bytes").is(&of("twelve bytes and more")));
    }
}
