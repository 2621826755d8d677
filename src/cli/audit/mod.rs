//! `callervault audit`: what auditors do with the log, one file per verb.

mod remote;
mod verify;

use clap::{Args, Subcommand};

use super::Done;

/// Verify the log, from a copy or through a running server.
#[derive(Args)]
pub(super) struct Audit {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Rebuild every leaf hash, tile, root and checkpoint of a log, and check proofs. Needs no vault. Exit 1 on tampering.
    Verify(verify::Verify),
}

impl Audit {
    pub(super) fn run(self) -> Done {
        match self.verb {
            Verb::Verify(verb) => verb.run(),
        }
    }
}
