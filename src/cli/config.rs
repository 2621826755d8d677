//! `callervault config`.

use std::path::PathBuf;

use clap::{Args, CommandFactory, Subcommand};

use super::{Arguments, Done, settings};

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
            Verb::Check { file } => settings::check(&Arguments::command(), &file),
        }
    }
}
