//! `callervault import` as a process, and what it says and writes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::support::process::secret_file;
use crate::support::{PASSPHRASE, World};

/// One run of the program.
pub(crate) struct Imported {
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
    pub(crate) fault: String,
    file: PathBuf,
}

impl Imported {
    pub(crate) fn of(output: Output, file: PathBuf) -> Self {
        Self {
            code: output.status.code(),
            said: String::from_utf8(output.stdout).unwrap(),
            fault: String::from_utf8(output.stderr).unwrap(),
            file,
        }
    }

    /// Checks the counts of the summary.
    pub(crate) fn took(&self, taken: u64, known: u64, rejected: u64) -> &Self {
        let lines = format!(" {} ", taken + known + rejected);
        let right = self.said.contains(&lines)
            && self.said.contains(&format!("= {taken} "))
            && self
                .said
                .contains(&format!("+ {known} already known + {rejected} rejected"));
        assert!(right, "{}{}", self.said, self.fault);
        self
    }

    /// Lines of a list that was written beside the file.
    pub(crate) fn list(&self, what: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(format!("{}.{what}.jsonl", self.file.display())).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Line, path and rule of each fault.
    pub(crate) fn rejected(&self) -> Vec<(u64, String, String)> {
        let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        let entry = |entry: &Value| {
            (
                entry["line"].as_u64().unwrap(),
                text(entry, "path"),
                text(entry, "rule"),
            )
        };
        self.list("rejected").iter().map(entry).collect()
    }
}

impl World {
    /// Imports a file into the vault, which no process serves.
    pub(crate) fn import(&self, file: &Path, arguments: &[&str]) -> Imported {
        let output = self.importing("agent", arguments).arg(file).output().unwrap();
        Imported::of(output, file.to_owned())
    }

    /// Imports a file of this name and content.
    pub(crate) fn import_bytes(&self, name: &str, bytes: impl AsRef<[u8]>, arguments: &[&str]) -> Imported {
        let file = self.dir.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        self.import(&file, arguments)
    }

    /// As `import_bytes`, as one of the staff.
    pub(crate) fn import_as(&self, who: &str, name: &str, bytes: &str, arguments: &[&str]) -> Imported {
        let file = self.dir.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        let output = self.importing(who, arguments).arg(&file).output().unwrap();
        Imported::of(output, file)
    }

    /// The command, to which files are added.
    pub(crate) fn importing(&self, who: &str, arguments: &[&str]) -> Command {
        let (passphrase, token) = (self.dir.path().join("passphrase"), self.dir.path().join("token"));
        secret_file(&passphrase, PASSPHRASE);
        secret_file(&token, self.token(who));
        let mut words: Vec<OsString> = vec!["import".into(), "--dir".into(), self.dir.path().into()];
        words.extend(["--token-file".into(), token.into()]);
        if !arguments.contains(&"--server") {
            words.extend(["--passphrase-file".into(), passphrase.into()]);
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_callervault"));
        command.args(words).args(arguments).stdin(Stdio::null());
        command
    }
}

/// A record in JSON lines, with these values at these pointers; those that it does not have are added to their object.
pub(crate) fn record(id: &str, values: &[(&str, Value)]) -> Value {
    let mut record = json!({
        "id": id, "kind": "complaint", "category": "noise", "channel": "phone", "district": {"code": "110108"},
        "received_at": "2026-01-05T22:41:17+08:00", "caller": {}, "secrecy_requested": false,
        "narrative": "楼下餐吧夜里仍在扰民。",
    });
    for (pointer, value) in values {
        let (above, key) = pointer.rsplit_once('/').unwrap();
        record.pointer_mut(above).unwrap()[key] = value.clone();
    }
    record
}

/// Records as JSON lines.
pub(crate) fn json_lines(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}
