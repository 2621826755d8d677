//! `callervault config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Done, command, settings};

/// Check the settings file.
#[derive(Args)]
pub(super) struct Config {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Check the names and values in a settings file. Files that it names are not read.
    Check {
        /// The settings file.
        #[arg(default_value = "callervault.toml")]
        file: PathBuf,
    },
}

impl Config {
    pub(super) fn run(self) -> Done {
        match self.verb {
            Verb::Check { file } => settings::check(&command(), &file),
        }
    }
}
