//! `callervault audit`: what auditors do with the log, one file per verb.

mod export;
mod remote;
mod restart;
mod roles;
mod trace;
mod verify;

use clap::{Args, Subcommand};

use super::Done;

/// Verify and export the log; trace a mark; list who was given which role; open the next log.
#[derive(Args)]
pub(super) struct Audit {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Rebuild every leaf hash, tile, root and checkpoint of a log, and check proofs. Needs no vault. Exit 1 on tampering.
    Verify(verify::Verify),
    /// Copy the log from a running server, as tiles for an archive or as lines for a SIEM.
    Export(export::Export),
    /// Find the read behind a trace mark, through a running server.
    Trace(trace::Trace),
    /// List who was given which role when, and by whom, through a running server.
    Roles(roles::Roles),
    /// Open the next log, linked to the old one, where this one cannot go on. Takes two persons.
    Restart(restart::Restart),
}

impl Audit {
    pub(super) fn run(self) -> Done {
        match self.verb {
            Verb::Verify(verb) => verb.run(),
            Verb::Export(verb) => verb.run(),
            Verb::Trace(verb) => verb.run(),
            Verb::Roles(verb) => verb.run(),
            Verb::Restart(verb) => verb.run(),
        }
    }
}
