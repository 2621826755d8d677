//! Verifying a backup without a vault.

use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::archive::Archive;
use crate::cli::{Done, Failure, say};
use crate::note::Verifier;

/// Verify a backup without a vault.
#[derive(Args)]
pub(super) struct Verify {
    /// The backup.
    file: PathBuf,
    /// The log's public key, `name+id+key` as `GET /v1/audit/keys` gives it. Do not take it from where you took the backup. Repeat for
    /// keys that the log had before it got this one.
    #[arg(long = "key", value_name = "VKEY", required = true)]
    log_keys: Vec<Verifier>,
    /// File with the age identity that opens an encrypted backup, mode 0600.
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
}

impl Verify {
    pub(super) fn run(self, as_json: bool) -> Done {
        let archive = Archive {
            file: &self.file,
            identity: self.identity.as_deref(),
            keys: &self.log_keys,
        };
        let bar = ProgressBar::new(archive.manifest()?.told.length).with_style(style()?);
        let manifest = archive.unpack(&mut std::io::sink(), &|moved| bar.set_position(moved));
        bar.finish_and_clear();
        let told = manifest?.told;
        if as_json {
            say(json!({
                "holds": told.part, "log": told.log, "vault": told.vault, "made_at": told.made_at, "entry": told.entry,
                "size": told.size, "root": told.root.to_string(), "schema": told.schema, "rows": told.rows, "keys": told.keys,
                "bytes": told.length, "sha256": told.sha256.to_string(),
            }))?;
            return Ok(());
        }
        let rows: u64 = told.rows.values().sum();
        say(format!(
            "verified: the {} of {}, copied at {}: {} log entries, root {}; {rows} rows, schema {}, keys {}",
            told.part.label().en.to_lowercase(),
            told.log,
            told.made_at,
            told.size,
            told.root,
            told.schema,
            told.keys.join(" ")
        ))?;
        Ok(())
    }
}

/// How a bar over bytes of a file looks.
pub(in crate::cli) fn style() -> Result<ProgressStyle, Failure> {
    ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left").map_err(Failure::unavailable)
}
