//! Where a follower is, and in which log: kept in the file that `--cursor` names.

use std::path::Path;

use serde_json::Value;

use super::{put, unwritable};
use crate::cli::audit::remote::{NoAnswer, Remote};
use crate::cli::{Done, Failure};
use crate::merkle::Hash;

/// Where to go on.
pub(super) struct Position {
    /// The entry to go on with.
    pub(super) next: u64,
    /// The log and its last entry before that one. Not known at the beginning, nor where only a number is kept.
    pub(super) log: Option<LogAt>,
}

/// A log, as far as it was read.
pub(super) struct LogAt {
    /// Its name, where that was kept: a line of a file does not have it.
    pub(super) origin: Option<String>,
    /// Of the entry before the one to go on with.
    pub(super) leaf_hash: String,
}

impl Position {
    pub(super) const fn at(next: u64) -> Self {
        Self { next, log: None }
    }

    /// Behind this entry, as a line has it.
    pub(super) fn after((index, leaf_hash): (u64, Hash)) -> Self {
        Self {
            next: index.saturating_add(1),
            log: Some(LogAt {
                origin: None,
                leaf_hash: leaf_hash.to_string(),
            }),
        }
    }

    /// Reads a cursor; where there is none yet, it is at the first entry.
    pub(super) fn read(file: &Path) -> Result<Self, Failure> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::at(0)),
            Err(error) => return Err(unwritable(file, &error)),
        };
        let mut lines = text.lines();
        let next = lines.next().and_then(|line| line.trim().parse().ok()).ok_or_else(|| {
            Failure::usage(format!(
                "{} holds no position\n  remove it to continue after the last entry in the --out file",
                file.display()
            ))
        })?;
        let log = lines.next().zip(lines.next()).map(|(origin, leaf_hash)| LogAt {
            origin: Some(origin.to_owned()),
            leaf_hash: leaf_hash.to_owned(),
        });
        Ok(Self { next, log })
    }

    pub(super) fn write(&self, file: &Path) -> Done {
        let log = self.log.as_ref().and_then(|log| {
            let origin = log.origin.as_deref()?;
            Some(format!("\n{origin}\n{}\n", log.leaf_hash))
        });
        let log = log.unwrap_or_default();
        put(file, format!("{}{log}", self.next).as_bytes())
    }

    /// Checks that the server's log is the one in which this position is. Answers with its origin.
    pub(super) fn check(&self, remote: &Remote) -> Result<String, NoAnswer> {
        let origin = remote.origin()?;
        let Some(log) = self.log.as_ref().filter(|_| self.next > 0) else {
            return Ok(origin);
        };
        if let Some(ours) = log.origin.as_ref().filter(|ours| **ours != origin) {
            return Err(NoAnswer::Final(Failure::check_failed(format!(
                "the server has another log now: {origin}; these lines are of {ours}\n  export the new log from its first entry, with \
                 another --out and --cursor; `audit export` of the old log ends here"
            ))));
        }
        if hash_of(remote, self.next - 1)?.as_ref() != Some(&log.leaf_hash) {
            return Err(NoAnswer::Final(Failure::check_failed(format!(
                "entry {} of the log is not the one that was exported\n  run `callervault audit verify`",
                self.next - 1
            ))));
        }
        Ok(origin)
    }
}

/// The leaf hash of an entry, also where its body was archived and dropped since.
fn hash_of(remote: &Remote, index: u64) -> Result<Option<String>, NoAnswer> {
    let answer = match remote.follow(index, 1, false) {
        Err(NoAnswer::Archived(_)) => return remote.archived_hash(index).map(Some),
        answer => answer?,
    };
    let hash = answer.pointer("/entries/0/leaf_hash");
    Ok(hash.and_then(Value::as_str).map(str::to_owned))
}
