//! `callervault people`: imports lists of people through a running server.

mod import;
mod list;

use clap::{Args, Subcommand};

use super::Done;

/// Import lists of people through a running server.
#[derive(Args)]
pub(super) struct People {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make the accounts in a list. Existing accounts are skipped, so a list can be imported again.
    ///
    /// The list is CSV in UTF-8 with the columns name, department, roles (separated by spaces) and optionally kind (person or
    /// service). Each account is a log entry. An account whose roles need a second person's approval waits for it: import the
    /// list again after the approval. Exit 1 if a line is wrong (then nothing is sent) or an account could not be made.
    Import(import::Import),
}

impl People {
    pub(super) fn run(self) -> Done {
        match self.verb {
            Verb::Import(verb) => verb.run(),
        }
    }
}
