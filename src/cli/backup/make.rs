//! Making a backup of a running server.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use age::x25519::Recipient;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::archive::{Manifest, not_written, written};
use crate::atomic_file::NewFile;
use crate::cli::server::{Call, Server};
use crate::cli::{Done, Failure, aside, say};
use crate::model::backups::Part;
use crate::model::ids::BackupId;

const BACKUPS: &str = "/v1/backups";
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(200);

/// What to back up, and to where.
pub(super) struct Make {
    pub(super) data: Option<PathBuf>,
    pub(super) keys: Option<PathBuf>,
    pub(super) recipients: Vec<Recipient>,
    /// A backup that the server has made already.
    pub(super) resume: Option<BackupId>,
}

/// A file for the copy of one store.
struct Target {
    part: Part,
    path: PathBuf,
    file: NewFile,
}

impl Make {
    pub(super) fn run(self, server: &Server) -> Done {
        let targets = self.targets()?;
        let id = match self.resume {
            Some(id) => id.to_string(),
            None => self.begun(server, &targets)?,
        };
        let path = format!("{BACKUPS}/{id}");
        let template = "{msg} {bar:40} {bytes} of {total_bytes} {bytes_per_sec}";
        let style = ProgressStyle::with_template(template).map_err(Failure::unavailable)?;
        let bar = ProgressBar::new(0).with_style(style);
        let made = made(server, &path, &bar)?;
        let fetched = fetch_all(server, &path, targets, &self.recipients, (&made, &bar));
        let fetched = fetched.map_err(|failure| {
            let again = "the server keeps the copy for now: send the same command with --resume";
            Failure::new(failure.code, format!("{failure}\n  {again} {id}"))
        })?;
        // It goes by itself with the next backup; whoever has the files needs nothing more.
        let _ = server.send(&Call::new("DELETE", &*path, None), None);
        self.told(server, &fetched)
    }

    /// Files that nobody has yet, before anything is asked of the server.
    fn targets(&self) -> Result<Vec<Target>, Failure> {
        let named = [(Part::Data, &self.data), (Part::Keys, &self.keys)];
        let named = named.into_iter().filter_map(|(part, path)| Some((part, path.clone()?)));
        let target = |(part, path): (Part, PathBuf)| match NewFile::at(&path) {
            Ok(file) => Ok(Target { part, path, file }),
            Err(fault) => Err(not_made(&path, &fault)),
        };
        let targets: Vec<Target> = named.map(target).collect::<Result<_, _>>()?;
        if let [one, other] = &*targets
            && one.path == other.path
        {
            return Err(Failure::usage(
                "--data and --keys are the same file\n  the two stores are kept apart: name two files",
            ));
        }
        Ok(targets)
    }

    fn begun(&self, server: &Server, targets: &[Target]) -> Result<String, Failure> {
        let parts: Vec<Part> = targets.iter().map(|target| target.part).collect();
        let begun = server.ask(&Call::new("POST", BACKUPS, Some(json!({"parts": parts}))))?;
        let id = begun.get("id").and_then(Value::as_str).unwrap_or_default();
        Ok(super::backup_id(id)?.to_string())
    }

    fn told(&self, server: &Server, fetched: &[(PathBuf, Manifest)]) -> Done {
        for (path, Manifest { told, .. }) in fetched {
            if server.is_json() {
                say(json!({
                    "file": path, "holds": told.part, "log": told.log, "size": told.size, "root": told.root.to_string(),
                    "entry": told.entry, "bytes": told.length, "encrypted": !self.recipients.is_empty(),
                }))?;
                continue;
            }
            say(format!(
                "{}: the {} of {} with {} log entries, {} bytes, asked for by entry {}",
                path.display(),
                told.part.label().en.to_lowercase(),
                told.log,
                told.size,
                told.length,
                told.entry
            ))?;
        }
        if self.recipients.is_empty() {
            aside(
                "not encrypted: who has both stores and the passphrase has everything; keep them apart, or give --recipient",
            );
        }
        if !server.is_json() {
            say("check each now, and from time to time: callervault backup verify FILE --key VKEY")?;
        }
        Ok(())
    }
}

fn not_made(path: &Path, fault: &io::Error) -> Failure {
    let path = path.display();
    match fault.kind() {
        io::ErrorKind::AlreadyExists => Failure::usage(format!(
            "{path} is there already\n  name a file that is not; nothing was overwritten"
        )),
        io::ErrorKind::NotFound => Failure::usage(format!("{path}: its directory is not there\n  make it first")),
        _ => Failure::unavailable(format!("{path}: {fault}")),
    }
}

/// Fetches the copies, and gives the files their names once all of them are whole.
fn fetch_all(
    server: &Server,
    path: &str,
    targets: Vec<Target>,
    recipients: &[Recipient],
    (made, bar): (&Value, &ProgressBar),
) -> Result<Vec<(PathBuf, Manifest)>, Failure> {
    let mut files = Vec::with_capacity(targets.len());
    for target in targets {
        let manifest = manifest(made, target.part)?;
        bar.set_message(format!("fetching {}", target.part));
        bar.set_length(manifest.told.length);
        bar.set_position(0);
        let mut pieces = Pieces {
            server,
            path: format!("{path}/{}", target.part),
            from: 0,
            piece: io::Cursor::default(),
            bar,
        };
        let file = written(target.file, recipients, &manifest, &mut pieces).map_err(not_fetched)?;
        files.push((file, target.path, manifest));
    }
    bar.finish_and_clear();
    let mut kept = Vec::with_capacity(files.len());
    for (file, path, manifest) in files {
        file.keep().map_err(|fault| not_made(&path, &fault))?;
        kept.push((path, manifest));
    }
    Ok(kept)
}

/// What the server says of the backup once it is made.
fn made(server: &Server, path: &str, bar: &ProgressBar) -> Result<Value, Failure> {
    bar.set_message("copying");
    loop {
        let line = server.read(path, "/state")?;
        let number = |name: &str| line.get(name).and_then(Value::as_u64).unwrap_or_default();
        bar.set_length(number("total"));
        bar.set_position(number("copied"));
        if line.get("state").and_then(Value::as_str) == Some("done") {
            return Ok(line);
        }
        std::thread::sleep(BETWEEN_QUESTIONS);
    }
}

/// The manifest of one store's copy.
fn manifest(made: &Value, part: Part) -> Result<Manifest, Failure> {
    let files = made.get("files").and_then(Value::as_array).into_iter().flatten();
    let of_part = |file: &&Value| file.get("part").and_then(Value::as_str) == Some(part.as_str());
    let file = files.into_iter().find(of_part);
    let note = file.and_then(|file| file.get("manifest")?.as_str());
    let note =
        note.ok_or_else(|| Failure::usage(format!("this backup has no copy of the {part} store\n  make another")))?;
    let manifest = Manifest::read(note.to_owned(), &[]).map_err(Failure::unavailable)?;
    if manifest.told.part == part {
        Ok(manifest)
    } else {
        Err(super::super::client::not_a_vault())
    }
}

/// The failure that a library has passed on, or what the system says.
fn not_fetched(fault: io::Error) -> Failure {
    if fault.kind() == io::ErrorKind::InvalidData {
        return Failure::unavailable(
            "what came is not what the server has signed; nothing was left behind\n  check what lies between, then try again",
        );
    }
    match fault.downcast::<Failure>() {
        Ok(failure) => failure,
        Err(fault) => not_written(&fault),
    }
}

/// A copy on the server, piece by piece.
struct Pieces<'s> {
    server: &'s Server,
    path: String,
    from: u64,
    piece: io::Cursor<Vec<u8>>,
    bar: &'s ProgressBar,
}

impl Read for Pieces<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = self.piece.read(bytes)?;
        if left > 0 || bytes.is_empty() {
            return Ok(left);
        }
        let piece = self
            .server
            .bytes(&format!("{}?from={}", self.path, self.from))
            .map_err(io::Error::other)?;
        self.from += piece.len() as u64;
        self.bar.set_position(self.from);
        self.piece = io::Cursor::new(piece);
        self.piece.read(bytes)
    }
}
