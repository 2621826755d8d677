//! `callervault policies`.

use clap::{Args, Subcommand};

use super::{Done, Failure, Where, say};
use crate::vault::life::rules::{self, RulesFile};

/// The rules that would be in force.
#[derive(Args)]
pub(super) struct Policies {
    #[command(flatten)]
    place: Where,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Check all files as a start would, and show the hash that entries of the log have.
    Check,
    /// Show a file: the one in the directory of policies, or the program's own where there is none.
    Show {
        /// Its name, such as `fields.toml`.
        file: RulesFile,
    },
}

impl Policies {
    pub(super) fn run(self) -> Done {
        let places = self.place.places();
        match self.verb {
            Verb::Check => say(format!("good: SHA-256 {}", rules::check(&places)?))?,
            Verb::Show { file } => say(file.text(&places).map_err(Failure::unavailable)?.trim_end())?,
        }
        Ok(())
    }
}
