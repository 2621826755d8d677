//! `callervault people`: lists of people, through a running server.

mod import;
mod list;

use clap::{Args, Subcommand};

use super::Done;

/// Lists of people, through a running server.
#[derive(Args)]
pub(super) struct People {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make the accounts of a list. Those that are there already are passed over, so that a list can be imported again.
    Import(import::Import),
}

impl People {
    pub(super) fn run(self) -> Done {
        match self.verb {
            Verb::Import(verb) => verb.run(),
        }
    }
}
