//! `callervault caller`: erasing callers, and the legal holds that forbid it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::civil::Date;
use serde_json::{Value, json};

use super::server::{Asking, Call, Server};
use super::show::Column;
use super::{Done, Failure};
use crate::atomic_file;
use crate::model::reference::Reference;

const ERASED: &[Column] = &[
    ("caller", "/subject"),
    ("erased at", "/erased_at"),
    ("records", "/records"),
    ("tickets", "/tickets"),
    ("log entry", "/audit/index"),
];
const CHANGED: &[Column] = &[
    ("hold", "/id"),
    ("caller", "/subject"),
    ("in force", "/in_force"),
    ("log entry", "/audit/index"),
];
const HOLDS: &[Column] = &[
    ("hold", "/id"),
    ("review", "/review"),
    ("caller", "/subject"),
    ("owner", "/owner_name"),
    ("reason", "/reason"),
    ("caller gone", "/caller_gone"),
];

/// Erase callers; set, list and lift legal holds, through a running server.
#[derive(Args)]
pub(super) struct Caller {
    #[command(flatten)]
    asking: Asking,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Erase a caller: the keys are destroyed, and no backup of the data store brings the caller back. Needs --reason, and another
    /// person's approval.
    Erase {
        /// Your department's reference to the caller.
        caller: Reference,
        #[command(flatten)]
        receipt: ReceiptTo,
    },
    /// Fetch the receipt of an erasure again.
    Receipt {
        /// What the log called the caller.
        subject: Reference,
        #[command(flatten)]
        receipt: ReceiptTo,
    },
    /// Set a legal hold on a caller, with --reason: the caller cannot be erased until another person lifts it.
    Hold {
        /// Your department's reference to the caller.
        caller: Reference,
        /// The day on which its owner checks whether it is still needed.
        #[arg(long, value_name = "DATE")]
        review: Date,
        /// Id of the account that answers for it [default: your own].
        #[arg(long, value_name = "ID")]
        owner: Option<String>,
    },
    /// List the legal holds in force, by their days of review.
    Holds,
    /// Lift a legal hold that another person set, with --reason.
    Lift {
        /// The hold's id.
        hold: String,
    },
}

/// Where the receipt goes.
#[derive(Args)]
struct ReceiptTo {
    /// Write the receipt into this new file. `callervault audit verify --receipt FILE` checks it.
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
}

impl ReceiptTo {
    /// Before anything is erased.
    fn check(&self) -> Done {
        match &self.receipt {
            Some(path) if path.exists() => Err(Failure::usage(format!(
                "{} is already there\n  name a new file for the receipt",
                path.display()
            ))),
            _ => Ok(()),
        }
    }

    fn write(&self, erased: &Value) -> Done {
        let Some(path) = &self.receipt else { return Ok(()) };
        let receipt = erased.get("receipt").and_then(Value::as_str).unwrap_or_default();
        let lost = |error| {
            Failure::unavailable(format!(
                "{}: {error}\n  the receipt is not lost: `callervault caller receipt` fetches it again",
                path.display()
            ))
        };
        atomic_file::create(path, receipt.as_bytes()).map_err(lost)
    }
}

impl Caller {
    pub(super) fn run(self) -> Done {
        let mut asking = self.asking;
        match self.verb {
            Verb::Erase { caller, receipt } => {
                receipt.check()?;
                let call = Call::new("POST", format!("/v1/callers/{caller}/erase"), None);
                let server = asking.server()?;
                receipt.write(&server.changed(&call, ERASED)?)
            }
            Verb::Receipt { subject, receipt } => {
                receipt.check()?;
                let server = asking.server()?;
                let erased = server.get(&format!("/v1/erasures/{subject}"))?;
                server.show(&erased, ERASED)?;
                receipt.write(&erased)
            }
            Verb::Hold { caller, review, owner } => {
                let body = json!({"reason": needed(asking.reason.take())?, "review": review, "owner": owner});
                asking.server()?.change(
                    &Call::new("POST", format!("/v1/callers/{caller}/holds"), Some(body)),
                    CHANGED,
                )
            }
            Verb::Holds => {
                let server: Server = asking.server()?;
                server.show_all(&server.list("/v1/holds")?, HOLDS)
            }
            Verb::Lift { hold } => {
                let body = json!({"reason": needed(asking.reason.take())?});
                asking.server()?.change(
                    &Call::new("POST", format!("/v1/holds/{hold}/lift"), Some(body)),
                    CHANGED,
                )
            }
        }
    }
}

fn needed(reason: Option<String>) -> Result<String, Failure> {
    reason.ok_or_else(|| Failure::usage("a legal hold needs a reason\n  give --reason TEXT"))
}
