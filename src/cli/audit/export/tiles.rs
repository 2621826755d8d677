//! The log as tiles: a directory that anybody can verify.

use std::path::Path;

use indicatif::ProgressBar;

use super::{put, unwritable};
use crate::atomic_file;
use crate::audit::verify::{COSIGNED, NoFile, Source};
use crate::cli::audit::remote::Remote;
use crate::cli::{Done, Failure, say};
use crate::merkle::{TileKind, TilePath, decode_bundle, tiles_of};
use crate::note::{Checkpoint, unverified_text};

/// Tiles and bundles that are not there yet, the checkpoint last: a copy that was broken off verifies as the older one.
pub(super) fn copy(remote: &Remote, out: Option<&Path>) -> Done {
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
            None => return Err(Failure::check_failed(format!("the server does not have {path}"))),
        }
    }
    put(&out.join("checkpoint"), note.as_bytes())?;
    if let Some(cosigned) = cosigned {
        put(&out.join(COSIGNED), &cosigned)?;
    }
    bar.finish_and_clear();
    if absent > 0 {
        say(format!(
            "{absent} bundles of entries are missing: they were archived and dropped before"
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
            "the length of {path} does not match its name"
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
