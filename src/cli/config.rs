//! `callervault config`.

use std::path::PathBuf;

use clap::{Args, CommandFactory, Subcommand};

use super::{Arguments, Done, settings};

/// The file of settings.
#[derive(Args)]
pub(super) struct Config {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Check a file of settings: its names and values. It reads nothing that they name.
    Check {
        /// The file.
        #[arg(default_value = "callervault.toml")]
        file: PathBuf,
    },
}

impl Config {
    pub(super) fn run(self) -> Done {
        match self.verb {
            Verb::Check { file } => settings::check(&Arguments::command(), &file),
        }
    }
}
