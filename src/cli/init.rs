//! `callervault init`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use zeroize::Zeroizing;

use super::hsm_to::HsmTo;
use super::keys::suites;
use super::passphrase::PassphraseFrom;
use super::shares_to::{HandedOut, SharesTo};
use super::terminal::Terminal;
use super::{Done, Failure, Where, say};
use crate::atomic_file;
use crate::clock::System;
use crate::keyring::unlock::Choice;
use crate::model::key_roles::Suite;
use crate::model::reference::DepartmentCode;
use crate::note;
use crate::randomness;
use crate::vault::Vault;
use crate::vault::life::init::{Founding, Issued};

const ORIGIN: &str =
    "What the log is called, for good: a host name of yours and a number, such as hotline.example/log/1\n> ";

/// Make a vault, its keys, the hotline centre and its three administrators. It opens by a passphrase, or with --shares by shares that
/// several people hold.
#[derive(Args)]
pub(super) struct Init {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    passphrase: PassphraseFrom,
    #[command(flatten)]
    shares: SharesTo,
    #[command(flatten)]
    hsm: HsmTo,
    /// What the log is called: a host name of yours and a number. It can never change. Asked for on the terminal where it is not given.
    #[arg(long, value_name = "HOST/log/1")]
    origin: Option<String>,
    /// Two characters for the hotline centre.
    #[arg(long, default_value = "H0")]
    centre: DepartmentCode,
    /// The hotline centre's name.
    #[arg(long, default_value = "Hotline centre")]
    centre_name: String,
    /// The algorithms that values are sealed and codes are made with: `aes` (AES-256-GCM, HMAC-SHA-256) or `sm` (SM4-GCM, HMAC-SM3).
    /// `keys rotate --suite` and `keys rewrap` move to the other one later.
    #[arg(long, value_parser = suites(), default_value = "aes")]
    suite: Suite,
    /// Write the first administrators' tokens into this directory, each into a new file of its own (mode 0600). Without it they are
    /// shown on the terminal, one after the other.
    #[arg(long, value_name = "DIR")]
    tokens_dir: Option<PathBuf>,
}

impl Init {
    pub(super) fn run(self) -> Done {
        let places = self.place.places();
        let out = self.shares.ready()?;
        if out.is_some() && self.passphrase.is_named() {
            return Err(Failure::usage(
                "a passphrase and --shares\n  give one of them: what opens the vault",
            ));
        }
        // Whoever could not be given their token is asked for nothing.
        let to = match &self.tokens_dir {
            Some(directory) => To::Files(directory),
            None => To::Terminal(Terminal::open(
                "no terminal to show the administrators' tokens on\n  give --tokens-dir",
            )?),
        };
        let origin = match self.origin {
            Some(origin) => origin,
            None => {
                Terminal::open("no terminal to ask what the log is called\n  give --origin HOST/log/1")?.ask(ORIGIN)?
            }
        };
        check(&origin)?;
        let founding = Founding {
            origin,
            centre: self.centre,
            centre_name: self.centre_name,
            suite: self.suite,
        };
        let random = Arc::new(randomness::System);
        let founded = match (&out, self.hsm.key(&self.passphrase)?) {
            (Some(out), _) => Vault::init(&places, Choice::Shares(out.scheme), &founding, &System, random)?,
            (None, Some(key)) => Vault::init(&places, Choice::Hsm(&key), &founding, &System, random)?,
            (None, None) => Vault::init(&places, &self.passphrase.choose()?, &founding, &System, random)?,
        };
        let handed = out.as_ref().map(|out| out.hand_out(&founded.shares)).transpose()?;
        // A vault whose tokens nobody has would be of no use: it is kept once they are handed over.
        to.hand_over(&founded.issued)?;
        let log_key = founded.log_key.clone();
        drop(founded.keep());
        handed.into_iter().for_each(HandedOut::keep);
        say(format!("data store: {}", places.data.display()))?;
        say(format!(
            "key store:  {}  (keep and back it up apart)",
            places.keys.display()
        ))?;
        if let Some(directory) = &self.tokens_dir {
            say(format!(
                "tokens:     {}  (hand each file to another person)",
                directory.display()
            ))?;
        }
        out.as_ref().map_or(Ok(()), |out| out.tell())?;
        say(format!("log key:    {log_key}"))?;
        say(
            "give the log key to the auditors and witnesses on a way that does not lead through this vault; \
             `callervault keys show-log-key` shows it again",
        )?;
        Ok(())
    }
}

/// A log's name is the name of its key, and auditors know it by that.
fn check(origin: &str) -> Done {
    if note::is_name(origin) && !origin.contains("://") {
        return Ok(());
    }
    Err(Failure::usage(
        "an origin is a URL without its scheme, with neither spaces nor `+`",
    ))
}

/// Where the first administrators' tokens go.
enum To<'p> {
    /// A directory, a file for each.
    Files(&'p Path),
    /// The terminal, one after the other.
    Terminal(Terminal),
}

impl To<'_> {
    fn hand_over(&self, issued: &[Issued]) -> Done {
        match self {
            Self::Terminal(terminal) => issued
                .iter()
                .try_for_each(|one| terminal.show_once(&format!("The token of {}", one.account), &one.token)),
            Self::Files(directory) => {
                let failed = |error| Failure::unavailable(format!("{}: {error}", directory.display()));
                atomic_file::create_directory(directory).map_err(failed)?;
                let files: Vec<_> = issued
                    .iter()
                    .map(|one| directory.join(format!("{}.token", one.account)))
                    .collect();
                for (at, (one, file)) in issued.iter().zip(&files).enumerate() {
                    if let Err(failure) = write_secret(file, &one.token) {
                        take_back(files.get(..at).unwrap_or_default());
                        return Err(failure);
                    }
                }
                Ok(())
            }
        }
    }
}

/// Removes files of tokens that open nothing, because the vault is not kept.
fn take_back(files: &[PathBuf]) {
    for file in files {
        // What is left of them does not harm.
        let _ = std::fs::remove_file(file);
    }
}

/// Writes a new file that only its owner may read.
pub(super) fn write_secret(path: &Path, text: &str) -> Done {
    let line = Zeroizing::new(format!("{text}\n"));
    atomic_file::create(path, line.as_bytes())
        .map_err(|error| Failure::unavailable(format!("{}: {error}", path.display())))
}
