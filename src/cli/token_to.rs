//! Where a token goes that is shown once.

use std::io::ErrorKind;
use std::path::Path;

use zeroize::Zeroizing;

use super::terminal::Terminal;
use super::{Done, Failure, say};
use crate::atomic_file;

/// Bytes that a token's file may have.
const LENGTH: usize = 4096;

/// A new file, or the terminal. That it can be written is tried before the token is made: one that cannot be put anywhere is lost.
pub(super) enum TokenTo<'p> {
    /// A file of mode 0600.
    File(&'p Path),
    /// The terminal, until its owner has it.
    Terminal(Terminal),
}

impl<'p> TokenTo<'p> {
    /// Tries whether the file, which must not be there, can be made, or opens the terminal. Until the token is there nothing else is:
    /// who interrupts this can begin again.
    pub(super) fn ready(out: Option<&'p Path>) -> Result<Self, Failure> {
        let not_new = |path: &Path, error: std::io::Error| match error.kind() {
            ErrorKind::AlreadyExists => Failure::usage(format!(
                "{} is there already\n  give another --out, or remove it",
                path.display()
            )),
            _ => Failure::unavailable(format!("{}: {error}", path.display())),
        };
        match out {
            Some(path) => match atomic_file::can_create(path, LENGTH) {
                Ok(()) => Ok(Self::File(path)),
                Err(error) => Err(not_new(path, error)),
            },
            None => Terminal::open("no terminal to show the token on\n  give --out FILE").map(Self::Terminal),
        }
    }

    /// Takes the token, if there is one after all.
    pub(super) fn take(&self, token: Option<&str>, account: &str) -> Done {
        match (self, token) {
            (_, None) => Ok(()),
            (Self::Terminal(terminal), Some(token)) => terminal.show_once(&format!("The token of {account}"), token),
            (Self::File(path), Some(token)) => {
                let line = Zeroizing::new(format!("{token}\n"));
                let lost = |error| {
                    Failure::unavailable(format!(
                        "{}: {error}\n  the token is lost: ask for another",
                        path.display()
                    ))
                };
                atomic_file::create(path, line.as_bytes()).map_err(lost)?;
                Ok(say(format!("token: {}", path.display()))?)
            }
        }
    }
}
