//! The log as lines, to its end or for ever.
//!
//! What a crash leaves: lines of a page that stands in the file whole or in part, and a cursor from before that page. The next
//! run cuts a torn line off and goes on after the last whole one, so that the file has each entry once. If the file was rotated
//! in between, nothing but the cursor tells where to go on: the entries of one page may then stand in both files. The same
//! holds of standard output. A cursor names the log and the hash of the last entry, and so does the file's last line the hash: in
//! another log nothing goes on. Each line has its entry's index, by which a reader drops what came twice.

use std::io::{Write, stdout};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use super::Export;
use super::out::{OutFile, locked, reopen_on_hangup};
use super::position::{LogAt, Position};
use crate::audit::export::{Format, line};
use crate::cli::audit::remote::{NoAnswer, Remote};
use crate::cli::{Done, Failure, aside};
use crate::log::ProvedEntry;
use crate::merkle::Hash;
use crate::store::rows::EntryRow;

/// Entries of one page.
const PAGE: u32 = 200;
/// The first wait after a fault; each that follows is twice as long, up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

impl Export {
    pub(super) fn lines(&self, remote: &Remote, format: Format) -> Done {
        let out = Out::open(self, format)?;
        let told = match &self.cursor {
            Some(file) => Position::read(file)?,
            None => Position::at(self.from),
        };
        let mut away = Away::default();
        let mut origin = self.origin(remote, &told, &mut away)?;
        let mut at = self.first(&out, told);
        // Also where the file goes on elsewhere than the cursor says: its last line must be of this log.
        if let Some(last) = out.last() {
            self.origin(remote, &Position::after(last), &mut away)?;
        }
        loop {
            let page = match remote.follow(at.next, PAGE, self.follow) {
                Ok(answer) => Page::read(&answer, at.next, format)?,
                Err(NoAnswer::Away(failure)) if self.follow => {
                    away.wait(&failure);
                    // The server may come back with another log.
                    origin = self.origin(remote, &at, &mut away)?;
                    continue;
                }
                Err(NoAnswer::Archived(below)) => {
                    at = self.after_archived(at.next, below)?;
                    continue;
                }
                Err(other) => return Err(other.into()),
            };
            away.over();
            out.add(&page.lines)?;
            let (moved, is_last) = (page.next != at.next, page.behind == 0);
            if let Some(leaf_hash) = page.leaf_hash {
                let origin = Some(origin.clone());
                at = Position {
                    next: page.next,
                    log: Some(LogAt { origin, leaf_hash }),
                };
            }
            // Only what has been written is behind the cursor.
            if let Some(file) = self.cursor.as_ref().filter(|_| moved) {
                at.write(file)?;
            }
            if !self.follow && is_last {
                return Ok(());
            }
        }
    }

    /// The origin of the server's log, in which the position must be.
    fn origin(&self, remote: &Remote, at: &Position, away: &mut Away) -> Result<String, Failure> {
        loop {
            match at.check(remote) {
                Ok(origin) => return Ok(origin),
                Err(NoAnswer::Away(failure)) if self.follow => away.wait(&failure),
                Err(other) => return Err(other.into()),
            }
        }
    }

    /// Where to go on when the bodies of the next entries were archived and dropped, if that is wanted.
    fn after_archived(&self, next: u64, below: u64) -> Result<Position, Failure> {
        if below <= next {
            return Err(not_understood());
        }
        let missing = format!(
            "entries {next} to {} were archived and dropped",
            below.saturating_sub(1)
        );
        if !self.skip_archived {
            return Err(Failure::unavailable(format!(
                "{missing}\n  their bodies are in the exported archive; give --skip-archived to go on with entry {below}"
            )));
        }
        aside(format!("{missing}: continuing with entry {below}"));
        Ok(Position::at(below))
    }

    /// The first entry to ask for. What the file has is not written again, and what it lacks is, whatever the cursor says.
    fn first(&self, out: &Out, told: Position) -> Position {
        let after = out.last().map(|(last, _)| last.saturating_add(1));
        if self.cursor.is_none() {
            return Position::at(after.map_or(self.from, |after| after.max(self.from)));
        }
        match after {
            Some(after) if after != told.next => {
                aside(format!(
                    "the cursor says {}, but the file ends before entry {after}: continuing there",
                    told.next
                ));
                Position::at(after)
            }
            _ => told,
        }
    }
}

/// Where lines go.
enum Out {
    Standard,
    File(Arc<Mutex<OutFile>>),
}

impl Out {
    fn open(export: &Export, format: Format) -> Result<Self, Failure> {
        let Some(path) = &export.out else {
            return Ok(Self::Standard);
        };
        if !export.follow {
            return Ok(Self::File(Arc::new(Mutex::new(OutFile::open(path, format)?))));
        }
        let file = reopen_on_hangup(path, format)?;
        Ok(Self::File(file))
    }

    /// The last entry that stands there already.
    fn last(&self) -> Option<(u64, Hash)> {
        match self {
            Self::Standard => None,
            Self::File(file) => locked(file).last(),
        }
    }

    fn add(&self, lines: &str) -> Done {
        match self {
            Self::File(file) => locked(file).add(lines),
            Self::Standard => {
                let mut out = stdout();
                out.write_all(lines.as_bytes())?;
                Ok(out.flush()?)
            }
        }
    }
}

/// How often in a row the server was away.
#[derive(Default)]
struct Away(u32);

impl Away {
    fn wait(&mut self, failure: &Failure) {
        let wait = FIRST_WAIT.saturating_mul(1 << self.0.min(10)).min(LONGEST_WAIT);
        self.0 = self.0.saturating_add(1);
        aside(format!("{}; trying again in {} s", failure.told(), wait.as_secs()));
        std::thread::sleep(wait);
    }

    fn over(&mut self) {
        if self.0 > 0 {
            aside("the server answers again");
            self.0 = 0;
        }
    }
}

/// What the server answered.
struct Page {
    /// Lines for its entries, each with its end.
    lines: String,
    /// The entry to go on with.
    next: u64,
    /// Entries that are still to come.
    behind: u64,
    /// Of its last entry.
    leaf_hash: Option<String>,
}

impl Page {
    /// Checks that nothing was left out from `first` on.
    fn read(answer: &Value, first: u64, format: Format) -> Result<Self, Failure> {
        let mut page = Self {
            lines: String::new(),
            next: first,
            behind: number(answer, "behind")?,
            leaf_hash: None,
        };
        let entries = answer.get("entries").and_then(Value::as_array);
        for entry in entries.ok_or_else(not_understood)? {
            if number(entry, "index")? != page.next {
                return Err(Failure::check_failed(format!(
                    "the server left out entry {}\n  run `callervault audit verify`",
                    page.next
                )));
            }
            page.lines.push_str(&as_line(format, page.next, entry)?);
            page.lines.push('\n');
            page.next += 1;
            let leaf_hash = entry.get("leaf_hash").and_then(Value::as_str);
            page.leaf_hash = leaf_hash.map(str::to_owned);
        }
        Ok(page)
    }
}

fn number(answer: &Value, name: &str) -> Result<u64, Failure> {
    answer.get(name).and_then(Value::as_u64).ok_or_else(not_understood)
}

fn not_understood() -> Failure {
    Failure::unavailable("this version does not understand the server's answer")
}

/// The line for an entry as the server tells it. The leaf's bytes are canonical JSON, so they can be made again and must
/// have the hash that came with them.
fn as_line(format: Format, index: u64, entry: &Value) -> Result<String, Failure> {
    let bad = || Failure::check_failed("an entry does not match its hash\n  run `callervault audit verify`");
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
