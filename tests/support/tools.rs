//! Programs of others, installed by `tests/run` in the versions that `tests/http/tools` names.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::process::skipped;

/// Where `tests/run` installs them.
pub(crate) fn tools() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools")
}

/// A tool, unless the test must be skipped.
pub(crate) fn tool(path: &str) -> Option<Command> {
    let tool = tools().join(path);
    if tool.exists() {
        return Some(Command::new(tool));
    }
    skipped(&format!("{path} is not installed: tests/run installs it"));
    None
}

/// A program of the system, unless the test must be skipped.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut programs = std::env::split_paths(&path).map(|directory| directory.join(name));
    let found = programs.find(|program| program.is_file());
    if found.is_none() {
        skipped(&format!("{name} is not installed: tests/run installs it"));
    }
    found
}

/// A tool has ended well.
pub(crate) fn succeeds(what: &str, output: &Output) {
    let (said, faults) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{what}: {said}{faults}");
}
