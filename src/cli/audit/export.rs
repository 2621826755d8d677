//! `callervault audit export`: the log as files for an archive, or as lines for other systems.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use serde_json::Value;

use super::remote::{Remote, TokenFrom};
use crate::atomic_file;
use crate::audit::export::{Format, line};
use crate::audit::verify::{COSIGNED, NoFile, Source};
use crate::cli::{Done, Failure, say};
use crate::log::ProvedEntry;
use crate::merkle::{TileKind, TilePath, decode_bundle, tiles_of};
use crate::note::Checkpoint;
use crate::note::unverified_text;
use crate::store::rows::EntryRow;

/// Copy the log from a running server: as tiles for an archive that anybody can verify, or as lines for a SIEM.
#[derive(Args)]
pub(super) struct Export {
    /// The server.
    #[arg(long, default_value = "http://127.0.0.1:8440")]
    url: String,
    #[command(flatten)]
    token: TokenFrom,
    /// `tiles` for a directory that `audit verify` checks, with the newest cosigned checkpoint; otherwise lines.
    #[arg(long, value_enum, default_value = "tiles")]
    format: Wanted,
    /// The directory for tiles (made anew or continued), or the file that lines are added to; without it lines go to
    /// standard output.
    #[arg(long, value_name = "PATH", required_if_eq("format", "tiles"))]
    out: Option<PathBuf>,
    /// For lines: the first entry.
    #[arg(long, value_name = "INDEX", default_value_t = 0, conflicts_with = "cursor")]
    from: u64,
    /// For lines: go on where this file says, and keep it up to date.
    #[arg(long, value_name = "FILE")]
    cursor: Option<PathBuf>,
    /// For lines: do not stop at the end, wait for more.
    #[arg(long)]
    follow: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Wanted {
    /// Checkpoint, tiles and bundles of entries (C2SP tlog-tiles).
    Tiles,
    /// JSON lines with index and leaf hash.
    Native,
    /// OCSF 1.x Datastore Activity, JSON lines.
    Ocsf,
    /// RFC 5424.
    Syslog,
    /// Common Event Format.
    Cef,
}

impl Export {
    pub(super) fn run(self) -> Done {
        let remote = Remote::new(&self.url, &self.token)?;
        let format = match self.format {
            Wanted::Tiles => return tiles(&remote, self.out.as_deref()),
            Wanted::Native => Format::Native,
            Wanted::Ocsf => Format::Ocsf,
            Wanted::Syslog => Format::Syslog,
            Wanted::Cef => Format::Cef,
        };
        self.lines(&remote, format)
    }

    fn lines(&self, remote: &Remote, format: Format) -> Done {
        let mut next = match &self.cursor {
            Some(file) => read_cursor(file)?,
            None => self.from,
        };
        let mut out = output(self.out.as_deref())?;
        loop {
            let answer = remote.json(&format!("/v1/audit/follow?from={next}&limit=200"))?;
            let entries = answer.get("entries").and_then(Value::as_array).into_iter().flatten();
            for entry in entries {
                writeln!(out, "{}", as_line(format, entry)?)?;
            }
            out.flush()?;
            let number = |name| answer.get(name).and_then(Value::as_u64);
            next =
                number("next").ok_or_else(|| Failure::unavailable("the server's answer is not one of this version"))?;
            // Only what has been written is behind the cursor: after a fault lines may come twice, never not at all.
            if let Some(file) = &self.cursor {
                put(file, next.to_string().as_bytes())?;
            }
            if !self.follow && number("behind") == Some(0) {
                return Ok(());
            }
        }
    }
}

/// The line for an entry as the server tells it. The leaf's bytes are canonical JSON, so they can be made again and must
/// have the hash that came with them.
fn as_line(format: Format, entry: &Value) -> Result<String, Failure> {
    let bad =
        || Failure::check_failed("an entry does not have the hash that came with it\n  run `callervault audit verify`");
    let index = entry.get("index").and_then(Value::as_u64).ok_or_else(bad)?;
    let leaf = entry.get("leaf").ok_or_else(bad)?;
    let told = entry.get("leaf_hash").and_then(Value::as_str).ok_or_else(bad)?;
    let row = EntryRow {
        idx: index,
        body: serde_json_canonicalizer::to_vec(leaf).map_err(|_| bad())?,
        leaf_hash: told.parse().map_err(|_| bad())?,
    };
    let entry = ProvedEntry::new(row).map_err(|_| bad())?;
    line(format, &entry).ok_or_else(bad)
}

fn output(path: Option<&Path>) -> Result<Box<dyn Write>, Failure> {
    let Some(path) = path else {
        return Ok(Box::new(std::io::stdout()));
    };
    // Only its owner reads it: the log tells who did what.
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    Ok(Box::new(file.map_err(|error| unwritable(path, &error))?))
}

fn read_cursor(file: &Path) -> Result<u64, Failure> {
    match std::fs::read_to_string(file) {
        Ok(text) => text.trim().parse().map_err(|_| {
            Failure::usage(format!(
                "{} holds no position\n  remove it to begin with the first entry",
                file.display()
            ))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(unwritable(file, &error)),
    }
}

fn put(path: &Path, bytes: &[u8]) -> Done {
    atomic_file::replace(path, bytes).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::unavailable(format!("{}: {error}", path.display()))
}

/// Tiles and bundles that are not there yet, the checkpoint last: a copy that was broken off verifies as the older one.
fn tiles(remote: &Remote, out: Option<&Path>) -> Done {
    let out = out.ok_or_else(|| Failure::usage("tiles need a directory\n  give --out DIR"))?;
    // Before the checkpoint, which then is the newer one.
    let cosigned = remote.cosigned().map_err(|NoFile(words)| Failure::unavailable(words))?;
    let note = String::from_utf8(fetch(remote, "checkpoint")?.unwrap_or_default()).map_err(Failure::check_failed)?;
    let size = unverified_text(&note)
        .and_then(Checkpoint::parse)
        .map_err(Failure::check_failed)?
        .size;
    let bar = ProgressBar::new(0);
    let mut absent = 0;
    for path in tiles_of(size).map_err(Failure::check_failed)? {
        bar.inc(1);
        let file = out.join(path.to_string());
        if path.is_full() && file.exists() {
            continue;
        }
        match fetch(remote, &path.to_string())? {
            Some(bytes) => put_checked(&file, &path, &bytes)?,
            None if path.kind() == TileKind::Entries => absent += 1,
            None => return Err(Failure::check_failed(format!("the server does not hold {path}"))),
        }
    }
    put(&out.join("checkpoint"), note.as_bytes())?;
    if let Some(cosigned) = cosigned {
        put(&out.join(COSIGNED), &cosigned)?;
    }
    bar.finish_and_clear();
    if absent > 0 {
        say(format!(
            "{absent} bundles of entries had been archived and dropped before"
        ))?;
    }
    say(format!(
        "{size} entries; check them with `callervault audit verify {} --key VKEY`",
        out.display()
    ))?;
    Ok(())
}

fn put_checked(file: &Path, path: &TilePath, bytes: &[u8]) -> Done {
    let whole = match path.kind() {
        TileKind::Hashes(_) => bytes.len() == path.width() * 32,
        TileKind::Entries => decode_bundle(bytes).is_ok_and(|entries| entries.len() == path.width()),
    };
    if !whole {
        return Err(Failure::check_failed(format!(
            "{path} has another length than its name says"
        )));
    }
    if let Some(directory) = file.parent() {
        atomic_file::create_directory(directory).map_err(|error| unwritable(directory, &error))?;
    }
    put(file, bytes)
}

fn fetch(remote: &Remote, path: &str) -> Result<Option<Vec<u8>>, Failure> {
    remote.read(path).map_err(|NoFile(words)| Failure::unavailable(words))
}
