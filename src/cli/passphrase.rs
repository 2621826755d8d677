//! A passphrase: from a terminal, a descriptor, or a file of secrets. Never an argument, never the environment.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use zeroize::Zeroizing;

use super::Failure;
use super::terminal::{Silent, Terminal};
use crate::keyring::KeyError;
use crate::keyring::unlock::{NoPassphrase, Passphrase, Pin};
use crate::secret_file;

const LONGEST: u64 = 4096;

#[derive(Args)]
pub(super) struct PassphraseFrom {
    /// Read the passphrase from this file, mode 0600.
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_fd")]
    passphrase_file: Option<PathBuf>,
    /// Read the passphrase from this open file descriptor.
    #[arg(long, value_name = "N")]
    passphrase_fd: Option<u32>,
}

impl PassphraseFrom {
    /// Whether a file or a descriptor is named.
    pub(super) const fn is_named(&self) -> bool {
        self.passphrase_file.is_some() || self.passphrase_fd.is_some()
    }

    /// The passphrase from a file or a descriptor, if one is named. Nobody is asked.
    pub(super) fn given(&self) -> Result<Option<Passphrase>, Failure> {
        named(self.passphrase_file.as_deref(), self.passphrase_fd)
    }

    /// The passphrase of a new vault, typed twice on a terminal.
    pub(super) fn choose(&self) -> Result<Passphrase, Failure> {
        self.given()?.map_or_else(chosen, Ok)
    }
}

/// A new passphrase, for a vault that opens in another way so far or by another one.
#[derive(Args)]
pub(super) struct NewPassphraseFrom {
    /// Read the new passphrase from this file, mode 0600.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["new_passphrase_fd", "shares"])]
    new_passphrase_file: Option<PathBuf>,
    /// Read the new passphrase from this open file descriptor.
    #[arg(long, value_name = "N", conflicts_with = "shares")]
    new_passphrase_fd: Option<u32>,
}

impl NewPassphraseFrom {
    /// The PIN of a hardware module, from where the new passphrase is read otherwise.
    pub(super) fn pin(&self) -> Result<Option<Pin>, Failure> {
        named_pin(self.new_passphrase_file.as_deref(), self.new_passphrase_fd)
    }

    /// The new passphrase, typed twice where no file and no descriptor is named.
    pub(super) fn choose(&self) -> Result<Passphrase, Failure> {
        named(self.new_passphrase_file.as_deref(), self.new_passphrase_fd)?.map_or_else(chosen, Ok)
    }
}

/// The secret in a file or behind a descriptor, if one is named.
pub(super) fn named(file: Option<&Path>, descriptor: Option<u32>) -> Result<Option<Passphrase>, Failure> {
    Ok(match (file, descriptor) {
        (Some(path), _) => Some(from_file(secret_file::open(path)?, path)?),
        (None, Some(number)) => {
            let path = Path::new("/dev/fd").join(number.to_string());
            let file = File::open(&path).map_err(|error| unreadable(&path, &error))?;
            Some(from_file(file, &path)?)
        }
        (None, None) => None,
    })
}

/// The PIN of a hardware module, from where a passphrase is read otherwise.
pub(super) fn pin(from: &PassphraseFrom) -> Result<Option<Pin>, Failure> {
    named_pin(from.passphrase_file.as_deref(), from.passphrase_fd)
}

fn named_pin(file: Option<&Path>, descriptor: Option<u32>) -> Result<Option<Pin>, Failure> {
    let (file, path) = match (file, descriptor) {
        (Some(path), _) => (secret_file::open(path)?, path.to_owned()),
        (None, Some(number)) => {
            let path = Path::new("/dev/fd").join(number.to_string());
            (File::open(&path).map_err(|error| unreadable(&path, &error))?, path)
        }
        (None, None) => return Ok(None),
    };
    Pin::first_line(file).map(Some).map_err(|none| not_read(none, &path))
}

/// A PIN that is typed.
pub(super) fn typed_pin() -> Result<Pin, Failure> {
    let terminal = terminal()?;
    asked(terminal.file(), "PIN of the hardware module: ", |terminal| {
        Pin::first_line(terminal)
    })
    .map_err(|none| not_read(none, Path::new("the terminal")))
}

fn not_read(none: NoPassphrase, place: &Path) -> Failure {
    match none {
        NoPassphrase::NotRead(error) => unreadable(place, &error),
        NoPassphrase::Key(error) => not_taken(error),
    }
}

fn from_file(file: File, path: &Path) -> Result<Passphrase, Failure> {
    Passphrase::first_line(file).map_err(|none| not_read(none, path))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::unavailable(format!("{}: {error}", path.display()))
}

fn not_taken(error: KeyError) -> Failure {
    match error {
        KeyError::MemoryNotLocked => Failure::unavailable(error),
        other => Failure::usage(other),
    }
}

/// A new passphrase, typed twice.
fn chosen() -> Result<Passphrase, Failure> {
    let terminal = terminal()?;
    let first = typed(&terminal, "New passphrase: ")?;
    if !typed(&terminal, "Again: ")?.is(&first) {
        return Err(Failure::usage("the passphrases differ\n  nothing was made; try again"));
    }
    Ok(first)
}

/// The terminal, on which a passphrase or shares are asked for.
pub(super) fn terminal() -> Result<Terminal, Failure> {
    Terminal::open(
        "no terminal to ask for the passphrase or shares\n  give --passphrase-file, --passphrase-fd, --share-file or --share-fd",
    )
}

/// A secret that is typed.
pub(super) fn typed(terminal: &Terminal, prompt: &str) -> Result<Passphrase, Failure> {
    prompted(terminal.file(), prompt).map_err(|none| not_read(none, Path::new("the terminal")))
}

/// Asks on a terminal that does not show what is typed.
fn prompted(terminal: &File, prompt: &str) -> Result<Passphrase, NoPassphrase> {
    asked(terminal, prompt, |terminal| Passphrase::first_line(terminal))
}

fn asked<T>(
    mut terminal: &File,
    prompt: &str,
    read: impl FnOnce(&File) -> Result<T, NoPassphrase>,
) -> Result<T, NoPassphrase> {
    let _silent = Silent::new(terminal)?;
    terminal.write_all(prompt.as_bytes())?;
    read(terminal)
}

/// The first line of a file of secrets.
pub(super) fn secret_file(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    let read = secret_file::open(path)?.take(LONGEST).read_to_string(&mut text);
    read.map_err(|error| unreadable(path, &error))?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use rustix::termios::{LocalModes, tcgetattr};

    use super::*;
    use crate::cli::terminal::tests::{shown_until, terminal};
    use crate::keyring::KeyError;

    #[test]
    fn a_terminal_does_not_show_what_is_typed() {
        let (mut person, program) = terminal();
        let program = program.file();
        let is_shown = |program: &File| tcgetattr(program).unwrap().local_modes.contains(LocalModes::ECHO);
        assert!(is_shown(program));
        let asked = std::thread::scope(|scope| {
            let asking = scope.spawn(|| prompted(program, "Passphrase: "));
            assert_eq!(shown_until(&person, ": "), "Passphrase: ");
            person.write_all(b"correct horse battery staple\n").unwrap();
            asking.join().unwrap().ok().unwrap()
        });
        assert_eq!(shown_until(&person, "\n"), "\r\n", "the end of the line alone");
        assert!(is_shown(program), "as it was before");
        let right = Passphrase::first_line(&b"correct horse battery staple\r\nanother line"[..]);
        assert!(asked.is(&right.ok().unwrap()));
    }

    #[test]
    fn one_line_of_text_of_a_fitting_length() {
        let lines = [
            &b"eleven byte"[..],
            b"\nthe second line",
            &[b'a'; 1025],
            &[b'a'; 5000],
            &[0xff; 20],
        ];
        for line in lines {
            let none = Passphrase::first_line(line).err().unwrap();
            assert!(matches!(none, NoPassphrase::Key(KeyError::BadPassphrase)), "{none:?}");
        }
        let fitting = [&b"twelve bytes"[..], &[b'a'; 1024], b"twelve bytes\nanother"];
        for line in fitting {
            assert!(Passphrase::first_line(line).is_ok());
        }
    }
}
