//! `callervault completions` and `callervault man`: made from the declarations of the verbs.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

use super::{Done, Failure, command, say};

/// The shell that completes.
#[derive(Args)]
pub(super) struct Completions {
    /// Its name.
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Done {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command(), "callervault", &mut script);
        say(String::from_utf8_lossy(&script).trim_end())?;
        Ok(())
    }
}

/// Where manual pages are written.
#[derive(Args)]
pub(super) struct Man {
    /// A directory, such as /usr/local/share/man/man1.
    directory: PathBuf,
}

impl Man {
    pub(super) fn run(self) -> Done {
        clap_mangen::generate_to(command(), &self.directory)
            .map_err(|error| Failure::unavailable(format!("{}: {error}", self.directory.display())))
    }
}
