//! The passphrase: from a terminal, a descriptor, or a file that only its owner reads. Never an argument, never the
//! environment.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::Args;
use zeroize::Zeroizing;

use super::Failure;
use crate::keyring::unlock::Passphrase;

const LONGEST: u64 = 4096;

#[derive(Args)]
pub(super) struct PassphraseFrom {
    /// Read the passphrase from this file; its mode must be 0600.
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_fd")]
    passphrase_file: Option<PathBuf>,
    /// Read the passphrase from this open file descriptor.
    #[arg(long, value_name = "N")]
    passphrase_fd: Option<u32>,
}

impl PassphraseFrom {
    /// The passphrase of a vault that exists.
    pub(super) fn read(&self) -> Result<Passphrase, Failure> {
        self.ask(false)
    }

    /// The passphrase of a new vault, typed twice on a terminal.
    pub(super) fn choose(&self) -> Result<Passphrase, Failure> {
        self.ask(true)
    }

    fn ask(&self, twice: bool) -> Result<Passphrase, Failure> {
        let text = match (&self.passphrase_file, self.passphrase_fd) {
            (Some(path), _) => secret_file(path)?,
            (None, Some(number)) => first_line(&Path::new("/dev/fd").join(number.to_string()))?,
            (None, None) => typed(twice)?,
        };
        Passphrase::new(text).map_err(Failure::usage)
    }
}

fn typed(twice: bool) -> Result<Zeroizing<String>, Failure> {
    let ask = |prompt| rpassword::prompt_password(prompt).map(Zeroizing::new);
    let no_terminal =
        |_| Failure::usage("no terminal to ask for the passphrase\n  give --passphrase-file or --passphrase-fd");
    let first = ask("Passphrase: ").map_err(no_terminal)?;
    if twice && *ask("Again: ").map_err(no_terminal)? != *first {
        return Err(Failure::usage(
            "the two are not the same\n  nothing was made; try again",
        ));
    }
    Ok(first)
}

/// The first line of a file that only its owner may read.
pub(super) fn secret_file(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let fault = |error| Failure::unavailable(format!("{}: {error}", path.display()));
    if std::fs::metadata(path).map_err(fault)?.mode() & 0o077 != 0 {
        return Err(Failure::usage(format!(
            "{} can be read by others\n  chmod 0600 it",
            path.display()
        )));
    }
    first_line(path)
}

fn first_line(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let fault = |error| Failure::unavailable(format!("{}: {error}", path.display()));
    let mut text = Zeroizing::new(String::new());
    File::open(path)
        .map_err(fault)?
        .take(LONGEST)
        .read_to_string(&mut text)
        .map_err(fault)?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}
