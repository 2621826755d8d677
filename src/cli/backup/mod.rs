//! `callervault backup`: copies of the stores of a running server, as files; and whether a file is such a copy.
//!
//! A file is a tar archive of two members: the manifest, and the copy of one store, a SQLite database. With recipients it is encrypted
//! as a whole (age-encryption.org/v1). Standard tools open both.

pub(super) mod archive;
mod make;
pub(super) mod verify;

use std::path::PathBuf;

use age::x25519::Recipient;
use clap::{Args, Subcommand};

use super::server::Asking;
use super::{Done, Failure};

/// Back up the stores of a running server, each to a file of its own; verify a backup. The key store takes a second person's approval.
#[derive(Args)]
#[command(subcommand_negates_reqs = true)]
pub(super) struct Backup {
    #[command(flatten)]
    asking: Asking,
    /// Back the data store up to this file, which must not be there yet.
    #[arg(long, value_name = "FILE", required_unless_present = "keys")]
    data: Option<PathBuf>,
    /// Back the key store up to this file. Keep it apart from the data store's, and destroy older ones: they hold keys that are erased
    /// since. With --data, both are of one moment.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Encrypt to this age public key (age1…). Repeat for more; each of them alone can open the file.
    #[arg(long = "recipient", value_name = "AGE1…")]
    recipients: Vec<Recipient>,
    /// Fetch a backup that the server has made already, by the id that was told when fetching it failed.
    #[arg(long, value_name = "ID")]
    resume: Option<String>,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Verify a backup without a vault: its manifest, which the log's key must have signed, and every byte. Exit 1 if it does not hold.
    Verify(verify::Verify),
}

impl Backup {
    pub(super) fn run(self) -> Done {
        match self.verb {
            Some(Verb::Verify(verb)) => verb.run(self.asking.json),
            None => make::Make {
                data: self.data,
                keys: self.keys,
                recipients: self.recipients,
                resume: self.resume.as_deref().map(backup_id).transpose()?,
            }
            .run(&self.asking.server()?),
        }
    }
}

/// The id of a backup. Nothing else goes into an address in its place.
fn backup_id(given: &str) -> Result<crate::model::ids::BackupId, Failure> {
    given.parse().map_err(|_| {
        Failure::usage(
            "this is not the id of a backup, which has 32 hexadecimal digits\n  leave out --resume for a new backup",
        )
    })
}
