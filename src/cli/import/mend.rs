//! `--open-bad`: the lines of a list of rejected ones, opened for mending.

use std::io::Write;
use std::path::Path;

use data_encoding::BASE64;
use serde::Deserialize;

use crate::cli::{Done, Failure};
use crate::vault::calls::mend::SealedLine;
use crate::vault::{Session, Vault};

/// An entry of the list.
#[derive(Deserialize)]
struct Entry {
    line: u64,
    sealed: Option<String>,
}

/// Prints each line that was sealed, as one that can be mended and brought in again.
pub(super) async fn open(vault: &Vault, session: &Session, list: &Path) -> Done {
    let named = |why: &dyn std::fmt::Display| format!("{}: {why}", list.display());
    let text = std::fs::read_to_string(list).map_err(|error| Failure::unavailable(named(&error)))?;
    let entries: Option<Vec<Option<SealedLine>>> = text.lines().map(sealed).collect();
    let entries = entries.ok_or_else(|| {
        Failure::usage(named(
            &"not a list of sealed lines\n  name a list that --write-bad sealed wrote",
        ))
    })?;
    let lines: Vec<SealedLine> = entries.into_iter().flatten().collect();
    let (opened, _) = vault
        .open_rejected(session, &lines)
        .await
        .map_err(Failure::unavailable)?;
    let mut out = std::io::stdout().lock();
    for line in opened.iter().filter(|line| !line.is_empty()) {
        out.write_all(line)?;
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

/// What an entry has sealed; nothing where its line could not be kept.
fn sealed(entry: &str) -> Option<Option<SealedLine>> {
    let entry: Entry = serde_json::from_str(entry).ok()?;
    let Some(sealed) = entry.sealed else { return Some(None) };
    Some(Some((entry.line, BASE64.decode(sealed.as_bytes()).ok()?)))
}
