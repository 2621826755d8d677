//! What became of the lines of one file, and the words and lists that say it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::feed::{Kept, Notes};
use super::map::Format;
use super::row::Fault;
use super::row::named;
use super::source::Source;
use super::take::Outcome;
use crate::atomic_file;
use crate::cli::{Done, Failure, say};
use crate::vault::calls::intake::{LeftOut, Matched};

/// What became of the lines of one file.
#[derive(Default)]
pub(in crate::cli) struct Count {
    pub(in crate::cli) taken: u64,
    pub(in crate::cli) certain: u64,
    pub(in crate::cli) tentative: u64,
    known: u64,
    pub(super) rejected: BTreeMap<u64, Rejection>,
    /// Line number, and what its call was taken without.
    left_out: BTreeMap<u64, Vec<LeftOut>>,
    pub(super) notes: Notes,
    /// The last line that was begun.
    pub(super) last: u64,
    /// After which line nothing could be taken any more, and why.
    pub(super) stopped: Option<(u64, Failure)>,
    /// Why the file was not read to its end.
    pub(super) unread: Option<Failure>,
    /// It was told to stop.
    pub(super) interrupted: bool,
}

/// A line that was not taken.
pub(super) struct Rejection {
    faults: Vec<Fault>,
    kept: Kept,
}

impl Count {
    pub(super) fn take(&mut self, line: u64, outcome: Outcome) {
        // Also where it came before: the list is written anew by each run.
        if !outcome.left_out.is_empty() {
            self.left_out.insert(line, outcome.left_out);
        }
        if outcome.known {
            self.known += 1;
            return;
        }
        self.taken += 1;
        match outcome.matched {
            // Nobody is there to confirm one.
            Matched::New | Matched::Confirmed => {}
            Matched::Certain => self.certain += 1,
            Matched::Tentative => self.tentative += 1,
        }
    }

    pub(super) fn reject(&mut self, line: u64, faults: Vec<Fault>, kept: Kept) {
        self.rejected.insert(line, Rejection { faults, kept });
    }

    /// The first line counts.
    pub(super) fn stop(&mut self, line: u64, failure: Failure) {
        if self.stopped.as_ref().is_none_or(|(first, _)| line < *first) {
            self.stopped = Some((line, failure));
        }
    }

    /// Lines that were decided on.
    fn lines(&self) -> u64 {
        self.taken + self.known + self.rejected.len() as u64
    }

    /// Why the run goes no further, if it does not.
    pub(in crate::cli) fn ended(&mut self) -> Done {
        let stopped = self.stopped.take().map(|(_, failure)| failure);
        if let Some(failure) = stopped.or_else(|| self.unread.take()) {
            return Err(failure);
        }
        if self.interrupted {
            let words = "stopped by a signal\n  run it again: calls that were taken are not taken twice";
            return Err(Failure::unavailable(words));
        }
        Ok(())
    }

    /// How many lines were rejected.
    pub(super) fn rejections(&self) -> usize {
        self.rejected.len()
    }

    /// Lines of the file inside rejected rows, without the first of each.
    fn swallowed(&self) -> u64 {
        let last = |rejection: &Rejection| rejection.faults.iter().filter_map(|fault| fault.to).max();
        let rejected = self.rejected.iter();
        rejected
            .filter_map(|(line, rejection)| Some(last(rejection)?.saturating_sub(*line)))
            .sum()
    }

    /// The first line that was rejected, and why.
    pub(in crate::cli) fn first_rejected(&self) -> Option<String> {
        let (line, rejection) = self.rejected.first_key_value()?;
        let fault = rejection.faults.first()?;
        Some(format!("line {line}: {}", fault.rule))
    }
}

/// The kinds of lists.
const KINDS: [&str; 3] = ["left-out", "rejected", BAD];
/// That of rejected lines that are to be corrected.
const BAD: &str = "bad";

/// Whether a file is a list that a run wrote.
pub(super) fn is_list(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    KINDS.iter().any(|what| name.ends_with(&format!(".{what}.jsonl")))
}

/// Where the lists are written, and which.
pub(super) struct Lists {
    /// In place of the file's own directory.
    pub(super) directory: Option<PathBuf>,
    /// Bad lines are written.
    pub(super) bad: bool,
    /// Nothing was taken in: it was only checked.
    pub(super) dry: bool,
}

impl Lists {
    /// Says what became of a file.
    pub(super) fn report(&self, source: &Source, count: &Count) -> Done {
        let table = matches!(count.notes.format, Some(Format::Csv | Format::Xlsx));
        say(format!(
            "{}: {} {} = {} {} ({} repeat callers certain, {} tentative) + {} already known + {} rejected",
            source.name(),
            count.lines(),
            if table { "rows" } else { "lines" },
            count.taken,
            if self.dry { "valid, not taken" } else { "taken" },
            count.certain,
            count.tentative,
            count.known,
            count.rejected.len()
        ))?;
        self.report_names(count)?;
        self.report_sealed(source)?;
        self.remove_stale(source, count)?;
        if !count.left_out.is_empty() {
            let lines = count.left_out.iter();
            let lines = lines.map(|(line, left_out)| json!({"line": line, "left_out": left_out}));
            let file = self.list(source, "left-out", lines)?;
            let (calls, file) = (count.left_out.len(), file.display());
            let were = if self.dry { "would be" } else { "were" };
            say(format!(
                "  {calls} {were} taken without a value that breaks its field's rule; see {file}"
            ))?;
        }
        if !count.rejected.is_empty() {
            let file = self.list(source, "rejected", count.rejected.iter().flat_map(rejections))?;
            say(format!(
                "  line numbers, paths and rules of the rejected lines: {}",
                file.display()
            ))?;
            let swallowed = count.swallowed();
            if swallowed > 0 {
                say(format!(
                    "  rejected rows go over {swallowed} more lines, in which other records may be: see their quotation marks"
                ))?;
            }
            if self.bad {
                let file = self.free(source)?;
                written(&file, count.rejected.iter().map(bad_line))?;
                say(format!("  rejected lines to correct: {}", file.display()))?;
            }
        }
        Ok(())
    }

    fn report_names(&self, count: &Count) -> Done {
        let notes = &count.notes;
        if let Some(encoding) = notes.encoding {
            say(format!("  read as {encoding}"))?;
        }
        if !notes.passed.is_empty() {
            let names: Vec<&str> = notes.passed.iter().map(String::as_str).collect();
            say(format!("  ignored, as the map says: {}", names.join(", ")))?;
        }
        for (name, records) in &notes.unknown {
            say(format!("  not in the map and not taken: {name}, in {records} records"))?;
        }
        Ok(())
    }

    /// Checks that no two of these files have lists of one name, which would be written one over the other.
    pub(super) fn check(&self, sources: &[Source]) -> Done {
        let mut seen = BTreeMap::new();
        for source in sources {
            let file = self.name(source, "rejected");
            let file = std::path::absolute(&file).unwrap_or(file);
            if let Some(other) = seen.insert(file, source.name()) {
                return Err(Failure::usage(format!(
                    "{other} and {} would have lists of the same name\n  import them in two runs with two --lists, or rename one",
                    source.name()
                )));
            }
        }
        Ok(())
    }

    /// Removes lists of an earlier run that say nothing of this one, which has read the file to its end.
    fn remove_stale(&self, source: &Source, count: &Count) -> Done {
        if count.interrupted || count.stopped.is_some() || count.unread.is_some() {
            return Ok(());
        }
        let rejected = !count.rejected.is_empty();
        let written = [!count.left_out.is_empty(), rejected, rejected];
        for (what, _) in KINDS.into_iter().zip(written).filter(|(_, written)| !written) {
            let file = self.name(source, what);
            if has_sealed_lines(&file)? {
                continue;
            }
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unusable(&file, &error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Says that an earlier run's list still has lines that may be nowhere else.
    fn report_sealed(&self, source: &Source) -> Done {
        let file = self.name(source, BAD);
        if has_sealed_lines(&file)? {
            say(format!(
                "  {} has sealed lines of an earlier run and is kept; delete it once they are opened and imported",
                file.display()
            ))?;
        }
        Ok(())
    }

    /// Where the bad lines of this run go: to the first name whose file does not hold sealed lines of another run.
    fn free(&self, of: &Source) -> Result<PathBuf, Failure> {
        let mut file = self.name(of, BAD);
        let mut next = 2_u32;
        while has_sealed_lines(&file)? {
            file = self.name(of, &format!("{next}.{BAD}"));
            next += 1;
        }
        Ok(file)
    }

    fn name(&self, of: &Source, what: &str) -> PathBuf {
        let own = match of {
            Source::File(path) => path.as_path(),
            Source::Stdin | Source::Shipped(_) => Path::new("stdin"),
        };
        let mut name = match (&self.directory, own.file_name()) {
            (Some(directory), Some(name)) => directory.join(name).into_os_string(),
            _ => own.as_os_str().to_owned(),
        };
        name.push(format!(".{what}.jsonl"));
        PathBuf::from(name)
    }

    /// Writes a list beside the file that it is of.
    fn list(&self, of: &Source, what: &str, lines: impl Iterator<Item = Value>) -> Result<PathBuf, Failure> {
        let file = self.name(of, what);
        written(&file, lines)?;
        Ok(file)
    }
}

fn written(file: &Path, lines: impl Iterator<Item = Value>) -> Done {
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    atomic_file::replace(file, text.as_bytes()).map_err(|error| unusable(file, &error))
}

fn unusable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::unavailable(format!("{}: {error}", file.display()))
}

/// Whether a file holds sealed lines, or may: of what is not a list it cannot be known.
fn has_sealed_lines(file: &Path) -> Result<bool, Failure> {
    let list = match File::open(file) {
        Ok(list) => list,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(unusable(file, &error)),
    };
    for line in BufReader::new(list).lines() {
        let entry = line.ok().and_then(|line| serde_json::from_str::<Value>(&line).ok());
        if entry.is_none_or(|entry| entry.get("sealed").is_some()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// One entry for each rule that is broken.
fn rejections((line, rejection): (&u64, &Rejection)) -> Vec<Value> {
    let entry = |fault: &Fault| {
        let mut entry = json!({"line": line});
        if let (Some(entry), Value::Object(fault)) = (entry.as_object_mut(), json!(fault)) {
            entry.extend(fault);
        }
        entry
    };
    rejection.faults.iter().map(entry).collect()
}

/// A line with nothing of what it states, or sealed.
fn bad_line((line, rejection): (&u64, &Rejection)) -> Value {
    let faults = &rejection.faults;
    match &rejection.kept {
        Kept::Names(names) => {
            let names = names.iter().map(|name| (named(name), Value::Null));
            let record: serde_json::Map<String, Value> = names.collect();
            json!({"line": line, "record": record, "faults": faults})
        }
        Kept::Sealed(sealed) => json!({"line": line, "sealed": BASE64.encode(sealed), "faults": faults}),
        Kept::Nothing | Kept::Text(_) => json!({"line": line, "faults": faults}),
    }
}
