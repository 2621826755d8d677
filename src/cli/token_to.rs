//! Where a token goes that is shown once.

use std::path::Path;

use zeroize::Zeroizing;

use super::init::write_secret;
use super::terminal::Terminal;
use super::{Done, Failure, say};
use crate::atomic_file;

/// A new file, or the terminal. It is ready before the token is made: one that cannot be put anywhere is lost.
pub(super) enum TokenTo<'p> {
    /// A file of mode 0600.
    File(&'p Path),
    /// The terminal, until its owner has it.
    Terminal(Terminal),
}

impl<'p> TokenTo<'p> {
    /// Makes the file, which must not be there, or opens the terminal.
    pub(super) fn ready(out: Option<&'p Path>) -> Result<Self, Failure> {
        match out {
            Some(path) => write_secret(path, "").map(|()| Self::File(path)),
            None => Terminal::open("no terminal to show the token on\n  give --out FILE").map(Self::Terminal),
        }
    }

    /// Takes the token, or gives up the place where there is none after all.
    pub(super) fn take(&self, token: Option<&str>, account: &str) -> Done {
        match (self, token) {
            (Self::Terminal(_), None) => Ok(()),
            (Self::Terminal(terminal), Some(token)) => terminal.show_once(&format!("The token of {account}"), token),
            (Self::File(path), None) => Ok(std::fs::remove_file(path)?),
            (Self::File(path), Some(token)) => {
                let line = Zeroizing::new(format!("{token}\n"));
                let lost = |error| {
                    Failure::unavailable(format!(
                        "{}: {error}\n  the token is lost: ask for another",
                        path.display()
                    ))
                };
                atomic_file::replace(path, line.as_bytes()).map_err(lost)?;
                Ok(say(format!("token: {}", path.display()))?)
            }
        }
    }
}
