//! `callervault audit verify --receipt`: receipts of erasures.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::{Done, Failure, say};
use crate::merkle::leaf_hash;
use crate::model::ask::Action;
use crate::note::{ErasureReceipt, NoteError, Verifier};

/// The receipt in a file, which one of the keys has signed.
///
/// # Errors
/// A finding for what these keys have not signed; a file that is not there is a mistake of whoever named it.
pub(super) fn open(file: &Path, keys: &[Verifier]) -> Result<ErasureReceipt, Failure> {
    let note = std::fs::read_to_string(file).map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
    ErasureReceipt::open(&note, keys).map_err(|error| failed(file, error))
}

fn failed(file: &Path, error: NoteError) -> Failure {
    let remedy = match error {
        NoteError::UnknownKey => {
            "it is another vault's, or signed by an older key of the log: give that key as --key too"
        }
        NoteError::Malformed => "it was cut or is no receipt: fetch it again with `callervault caller receipt`",
        NoteError::Erasure => "it is a note of another kind, or of another log of this vault",
        _ => "it was changed: keep it as evidence and fetch the receipt again",
    };
    Failure::check_failed(format!("TAMPERED: {}: {error}\n  {remedy}", file.display()))
}

/// The log has this entry at the receipt's index, and it is the erasure that the receipt speaks of.
pub(super) fn is_of(receipt: &ErasureReceipt, entry: &[u8]) -> Done {
    let leaf: Value = serde_json::from_slice(entry).unwrap_or_default();
    let says = |key: &str| leaf.get(key).and_then(Value::as_str);
    let same = leaf_hash(entry) == receipt.leaf_hash
        && says("subject") == Some(&receipt.subject)
        && says("act").is_some_and(|act| act.starts_with(Action::Erase.as_str()));
    if same {
        return Ok(());
    }
    Err(Failure::check_failed(format!(
        "TAMPERED: entry {} of this log is not the erasure that the receipt speaks of\n  keep both as evidence",
        receipt.index
    )))
}

/// Says what was erased.
pub(super) fn tell(receipt: &ErasureReceipt, as_json: bool, in_log: bool) -> Done {
    if as_json {
        say(json!({
            "log": receipt.log, "entry": receipt.index, "erased_at": receipt.erased_at, "subject": receipt.subject,
            "records": receipt.records, "tickets": receipt.tickets, "in_log": in_log,
        }))?;
        return Ok(());
    }
    if !in_log {
        say("note: that the log has this entry was not checked; name a copy of the log as DIRECTORY for that")?;
    }
    say(format!(
        "receipt: {} was erased at {}: records {}, tickets {}; entry {} of {}",
        receipt.subject, receipt.erased_at, receipt.records, receipt.tickets, receipt.index, receipt.log
    ))?;
    Ok(())
}
