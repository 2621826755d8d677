//! `callervault audit export`: the log as files for an archive, or as lines for other systems.

mod lines;
mod out;
mod position;
mod tiles;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::remote::Remote;
use crate::atomic_file;
use crate::audit::export::Format;
use crate::cli::server::Reach;
use crate::cli::{Done, Failure};

/// Copy the log from a running server: as tiles for an archive that anyone can verify, or as lines for a SIEM.
#[derive(Args)]
pub(super) struct Export {
    /// `tiles` makes a directory that `audit verify` checks, with the newest cosigned checkpoint. The others are lines.
    #[arg(long, value_enum, default_value = "tiles")]
    format: Wanted,
    /// Directory for tiles (new or continued), or file to which lines are appended after its last entry. Without it, lines go
    /// to standard output.
    #[arg(long, value_name = "PATH", required_if_eq("format", "tiles"))]
    out: Option<PathBuf>,
    /// For lines: the first entry.
    #[arg(long, value_name = "INDEX", default_value_t = 0, conflicts_with = "cursor")]
    from: u64,
    /// For lines: continue at the position in this file, and update it.
    #[arg(long, value_name = "FILE")]
    cursor: Option<PathBuf>,
    /// For lines: wait for more at the end, and while the server cannot be reached. The file may be rotated: its name is
    /// checked before each write and on SIGHUP.
    #[arg(long)]
    follow: bool,
    /// For lines: where the next entries were archived and dropped, continue with the first that is left. Without it this is an
    /// error.
    #[arg(long)]
    skip_archived: bool,
    /// Seconds to wait for the server. A server without new entries answers after 20.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    patience: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Wanted {
    /// Checkpoint, tiles and bundles of entries (C2SP tlog-tiles).
    Tiles,
    /// JSON lines with index and leaf hash.
    Native,
    /// OCSF 1.3.0 Datastore Activity, JSON lines.
    Ocsf,
    /// RFC 5424.
    Syslog,
    /// Common Event Format.
    Cef,
}

impl Export {
    pub(super) fn run(self, reach: &Reach) -> Done {
        let remote = Remote::patient(reach, Duration::from_secs(self.patience))?;
        let format = match self.format {
            Wanted::Tiles => return tiles::copy(&remote.admitted()?, self.out.as_deref()),
            Wanted::Native => Format::Native,
            Wanted::Ocsf => Format::Ocsf,
            Wanted::Syslog => Format::Syslog,
            Wanted::Cef => Format::Cef,
        };
        self.lines(&remote, format)
    }
}

fn put(path: &Path, bytes: &[u8]) -> Done {
    atomic_file::replace(path, bytes).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::unavailable(format!("{}: {error}", path.display()))
}
