//! The file that lines are added to. It ends with a whole line whenever nothing is being written, and may be rotated: another
//! program renames it, and lines go on in a new file of the old name.

use std::fs::{File, Metadata, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::signal::unix::{SignalKind, signal};

use super::unwritable;
use crate::atomic_file;
use crate::audit::export::{Format, beginning, entry_in};
use crate::cli::{Done, Failure, aside};
use crate::merkle::Hash;

/// Bytes at the end of a file in which its last whole line and a torn one are looked for. A line has less than a tenth.
const TAIL: u64 = 128 * 1024;

/// The file behind a name.
pub(super) struct OutFile {
    path: PathBuf,
    format: Format,
    file: File,
    /// Not a pipe or a terminal, which have no end to look at and no other file of their name.
    regular: bool,
    last: Option<(u64, Hash)>,
    /// Bytes that it must have.
    length: u64,
}

impl OutFile {
    /// Opens the file, or makes it, for its owner only: the log tells who did what. A torn line at its end, as a crash leaves
    /// it, is cut off.
    ///
    /// # Errors
    /// Usage, where the file ends with half a line that no export has written; those of the file system.
    pub(super) fn open(path: &Path, format: Format) -> Result<Self, Failure> {
        let regular = std::fs::metadata(path).map_or(true, |metadata| metadata.is_file());
        let is_new = !path.exists();
        let file = OpenOptions::new()
            .read(regular)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| unwritable(path, &error))?;
        let mut opened = Self {
            path: path.to_owned(),
            format,
            file,
            regular,
            last: None,
            length: 0,
        };
        if is_new {
            // The cursor must not outlive the name of the file that it speaks of.
            atomic_file::keep_name(path).map_err(|error| unwritable(path, &error))?;
        }
        if regular {
            opened.last = opened.mend_end()?;
            opened.length = opened.length_now()?;
        }
        Ok(opened)
    }

    /// The last entry that stood in it when it was opened, and its leaf hash.
    pub(super) const fn last(&self) -> Option<(u64, Hash)> {
        self.last
    }

    /// Adds whole lines to the file that has the name now. They are durable when this returns.
    pub(super) fn add(&mut self, lines: &str) -> Done {
        self.go_on_by_name()?;
        if lines.is_empty() {
            return Ok(());
        }
        let unwritable = |error| unwritable(&self.path, &error);
        let before = if self.regular { self.length_now()? } else { 0 };
        if before < self.length {
            return Err(Failure::check_failed(format!(
                "{} became shorter than what was written: entries may be lost\n  rotate it by renaming, not by copying and truncating",
                self.path.display()
            )));
        }
        (&self.file).write_all(lines.as_bytes()).map_err(unwritable)?;
        if self.regular {
            self.file.sync_data().map_err(unwritable)?;
            // Not as it is now: it may have been truncated meanwhile.
            self.length = before + u64::try_from(lines.len()).map_err(Failure::unavailable)?;
        }
        Ok(())
    }

    fn length_now(&self) -> Result<u64, Failure> {
        let metadata = self.file.metadata();
        Ok(metadata.map_err(|error| unwritable(&self.path, &error))?.len())
    }

    /// Opens the name again if it leads to another file, or to none.
    fn go_on_by_name(&mut self) -> Done {
        if self.regular && !self.has_its_name()? {
            *self = Self::open(&self.path, self.format)?;
            aside(format!("{} was rotated: writing to a new file", self.path.display()));
        }
        Ok(())
    }

    fn has_its_name(&self) -> Result<bool, Failure> {
        let which = |metadata: Metadata| (metadata.dev(), metadata.ino());
        let open = self.file.metadata().map_err(|error| unwritable(&self.path, &error))?;
        match std::fs::metadata(&self.path) {
            Ok(named) => Ok(which(named) == which(open)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(unwritable(&self.path, &error)),
        }
    }

    /// Cuts the file back to the end of its last whole line. Answers which entry that line is of.
    fn mend_end(&self) -> Result<Option<(u64, Hash)>, Failure> {
        let failed = |error| unwritable(&self.path, &error);
        let length = self.file.metadata().map_err(failed)?.len();
        let start = length.saturating_sub(TAIL);
        let mut tail = vec![0; usize::try_from(length - start).map_err(Failure::unavailable)?];
        self.file.read_exact_at(&mut tail, start).map_err(failed)?;
        let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (lines, torn) = tail.split_at(whole);
        let last = last_line(lines).and_then(entry_in);
        if torn.is_empty() {
            return Ok(last);
        }
        let begun = start == 0 && lines.is_empty() && begins(torn, self.format);
        if last.is_none() && !begun {
            return Err(Failure::usage(format!(
                "{} ends with part of a line that no export wrote\n  name another file",
                self.path.display()
            )));
        }
        let end = start + u64::try_from(whole).map_err(Failure::unavailable)?;
        self.file.set_len(end).map_err(failed)?;
        aside(format!(
            "{}: removed {} bytes of an incomplete line",
            self.path.display(),
            torn.len()
        ));
        Ok(last)
    }
}

/// The last of some whole lines.
fn last_line(lines: &[u8]) -> Option<&str> {
    std::str::from_utf8(lines.strip_suffix(b"\n")?.rsplit(|byte| *byte == b'\n').next()?).ok()
}

/// Whether these bytes are the beginning of a line, or the line's beginning begins with them.
fn begins(torn: &[u8], format: Format) -> bool {
    let beginning = beginning(format).as_bytes();
    torn.starts_with(beginning) || beginning.starts_with(torn)
}

/// The file, for as long as nobody else adds to it or opens it again.
pub(super) fn locked(file: &Mutex<OutFile>) -> MutexGuard<'_, OutFile> {
    file.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens the file, and from then on again by its name whenever the process is sent SIGHUP, as programs that rotate files do.
pub(super) fn reopen_on_hangup(path: &Path, format: Format) -> Result<Arc<Mutex<OutFile>>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Before the file is there: who sees the file may send the signal.
    let mut hangups = {
        let _inside = runtime.enter();
        signal(SignalKind::hangup())?
    };
    let file = Arc::new(Mutex::new(OutFile::open(path, format)?));
    let reopened = Arc::clone(&file);
    let reopening = async move {
        while hangups.recv().await.is_some() {
            // What fails here fails again with the next lines, and then ends the program.
            if let Err(failure) = locked(&reopened).go_on_by_name() {
                aside(failure);
            }
        }
    };
    std::thread::Builder::new()
        .name("hangup".to_owned())
        .spawn(move || runtime.block_on(reopening))?;
    Ok(file)
}
