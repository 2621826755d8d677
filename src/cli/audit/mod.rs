//! `callervault audit`: what auditors do with the log, one file per verb.

mod export;
mod receipt;
mod remote;
mod restart;
mod roles;
mod trace;
mod verify;

use clap::{Args, Subcommand};

use super::Done;
use super::server::Reach;

/// Verify, export, trace or restart the log; list role changes.
#[derive(Args)]
pub(super) struct Audit {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Verify a log: its entries, tiles, checkpoints, proofs and cosignatures. Needs no vault. Exit 1 if the log was tampered
    /// with or too few witnesses have cosigned.
    Verify(verify::Verify),
    /// Copy the log from a running server: as tiles for an archive, or as lines for a SIEM.
    Export(export::Export),
    /// Find the read behind a trace mark, through a running server.
    Trace(trace::Trace),
    /// List role changes through a running server: whose account, which roles, when and by whom.
    Roles(roles::Roles),
    /// Start a new log that links to the old one, when the old one cannot go on. Needs two people.
    Restart(restart::Restart),
}

impl Audit {
    pub(super) fn run(self) -> Done {
        match self.verb {
            Verb::Verify(verb) => verb.run(&self.reach),
            Verb::Export(verb) => verb.run(&self.reach),
            Verb::Trace(verb) => verb.run(&self.reach),
            Verb::Roles(verb) => verb.run(&self.reach),
            Verb::Restart(verb) => verb.run(),
        }
    }
}
