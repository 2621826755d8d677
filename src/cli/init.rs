//! `callervault init`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use zeroize::Zeroizing;

use super::passphrase::PassphraseFrom;
use super::{Done, Failure, Where, say};
use crate::atomic_file;
use crate::clock::System;
use crate::model::reference::DepartmentCode;
use crate::randomness;
use crate::vault::Vault;
use crate::vault::life::init::{Founding, Issued};

/// Make a vault, its keys, the hotline centre and its three administrators.
#[derive(Args)]
pub(super) struct Init {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    passphrase: PassphraseFrom,
    /// What the log is called: `<host>/log/1`. It can never change.
    #[arg(long, default_value = "callervault.invalid/log/1")]
    origin: String,
    /// Two characters for the hotline centre.
    #[arg(long, default_value = "H0")]
    centre: DepartmentCode,
    /// The hotline centre's name.
    #[arg(long, default_value = "Hotline centre")]
    centre_name: String,
    /// Write the first administrators' tokens into this new file (mode 0600) instead of showing them.
    #[arg(long, value_name = "FILE")]
    tokens_to: Option<PathBuf>,
}

impl Init {
    pub(super) fn run(self) -> Done {
        let places = self.place.places();
        let passphrase = self.passphrase.choose()?;
        if self.origin.contains([' ', '+', '\n']) || self.origin.is_empty() {
            return Err(Failure::usage(
                "an origin is a URL without its scheme, with neither spaces nor `+`",
            ));
        }
        let founding = Founding {
            origin: self.origin,
            centre: self.centre,
            centre_name: self.centre_name,
        };
        let issued = Vault::init(&places, &passphrase, &founding, &System, Arc::new(randomness::System))?;
        say(format!("data store: {}", places.data.display()))?;
        say(format!(
            "key store:  {}  (keep and back it up apart)",
            places.keys.display()
        ))?;
        match &self.tokens_to {
            Some(path) => write_tokens(path, &issued)?,
            None => show_tokens(&issued)?,
        }
        Ok(())
    }
}

fn show_tokens(issued: &[Issued]) -> Done {
    say("tokens of the first administrators, shown this once; give each to another person:")?;
    for one in issued {
        say(format!("  {:<16} {}", one.account, *one.token))?;
    }
    Ok(())
}

fn write_tokens(path: &std::path::Path, issued: &[Issued]) -> Done {
    let line = |one: &Issued| serde_json::json!({"name": one.account, "role": one.role, "token": *one.token});
    let text = serde_json::Value::from(issued.iter().map(line).collect::<Vec<_>>()).to_string();
    write_secret(path, &text)?;
    say(format!("tokens of the first administrators: {}", path.display()))?;
    Ok(())
}

/// Writes a new file that only its owner may read.
pub(super) fn write_secret(path: &std::path::Path, text: &str) -> Done {
    let line = Zeroizing::new(format!("{text}\n"));
    atomic_file::create(path, line.as_bytes())
        .map_err(|error| Failure::unavailable(format!("{}: {error}", path.display())))
}
