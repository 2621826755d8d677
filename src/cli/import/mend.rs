//! `--open-bad`: the lines of a list of rejected ones, opened for mending.

use std::io::Write;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::atomic_file;
use crate::cli::{Done, Failure, aside};
use crate::vault::calls::mend::SealedLine;
use crate::vault::{Session, Vault};

/// An entry of the list.
#[derive(Deserialize)]
struct Entry {
    line: u64,
    sealed: Option<String>,
}

/// Where the lines are put.
pub(super) enum Out {
    Standard,
    /// For its owner only.
    File(PathBuf),
}

impl Out {
    /// As named; else beside the list. A file that is there is not written over: it may have been mended.
    pub(super) fn new(named: Option<&Path>, list: &Path) -> Result<Self, Failure> {
        let file = match named {
            Some(dash) if dash == Path::new("-") => return Ok(Self::Standard),
            Some(file) => file.to_owned(),
            None => {
                let name = list.to_string_lossy();
                PathBuf::from(format!(
                    "{}.mend.jsonl",
                    name.strip_suffix(".bad.jsonl").unwrap_or(&name)
                ))
            }
        };
        if file.exists() {
            let words = format!(
                "{} is there already\n  give another --out, or remove it",
                file.display()
            );
            return Err(Failure::usage(words));
        }
        Ok(Self::File(file))
    }

    fn put(&self, text: &[u8]) -> Done {
        let Self::File(file) = self else {
            let mut out = std::io::stdout().lock();
            out.write_all(text)?;
            return Ok(out.flush()?);
        };
        let unwritable = |error| Failure::unavailable(format!("{}: {error}", file.display()));
        atomic_file::create(file, text).map_err(unwritable)?;
        aside(format!(
            "lines to correct: {}; delete it when it is imported",
            file.display()
        ));
        Ok(())
    }
}

/// Puts out each line that was sealed, as one that can be mended and brought in again, and says which have no text.
pub(super) async fn open(vault: &Vault, session: &Session, list: &Path, out: &Out) -> Done {
    let named = |why: &dyn std::fmt::Display| format!("{}: {why}", list.display());
    let text = std::fs::read_to_string(list).map_err(|error| Failure::unavailable(named(&error)))?;
    let entries: Option<Vec<(u64, Option<Vec<u8>>)>> = text.lines().map(sealed).collect();
    let entries = entries.ok_or_else(|| {
        Failure::usage(named(
            &"not a list of sealed lines\n  name a list that --write-bad sealed wrote",
        ))
    })?;
    let (kept, lost): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(_, sealed)| sealed.is_some());
    let lines: Vec<SealedLine> = kept
        .into_iter()
        .filter_map(|(line, sealed)| Some((line, sealed?)))
        .collect();
    let (opened, _) = vault.open_rejected(session, &lines).await?;
    let mut all = Zeroizing::new(Vec::with_capacity(opened.iter().map(|line| line.len() + 1).sum()));
    for line in opened.iter().filter(|line| !line.is_empty()) {
        all.extend_from_slice(line);
        all.push(b'\n');
    }
    out.put(&all)?;
    let empty = lines.iter().zip(&opened).filter(|(_, text)| text.is_empty());
    let mut without: Vec<u64> = empty
        .map(|((line, _), _)| *line)
        .chain(lost.iter().map(|(line, _)| *line))
        .collect();
    without.sort_unstable();
    if !without.is_empty() {
        let without: Vec<String> = without.iter().map(u64::to_string).collect();
        aside(format!("no text was kept of these lines: {}", without.join(", ")));
    }
    Ok(())
}

/// The line of an entry, and what it has sealed; nothing where its line could not be kept.
fn sealed(entry: &str) -> Option<(u64, Option<Vec<u8>>)> {
    let entry: Entry = serde_json::from_str(entry).ok()?;
    let Some(sealed) = entry.sealed else {
        return Some((entry.line, None));
    };
    Some((entry.line, Some(BASE64.decode(sealed.as_bytes()).ok()?)))
}
