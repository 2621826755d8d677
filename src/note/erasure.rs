//! The receipt of an erasure: a signed note of its own kind. Its first line keeps it apart from a checkpoint, whose first line is the
//! log's origin.

use std::fmt;

use super::{NoteError, Verifier, decimal, hash};
use crate::merkle::Hash;

/// The first line.
const KIND: &str = "callervault/erasure/1";

/// What a vault signs when it has erased a caller. It names nobody: what was erased is called as the log calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasureReceipt {
    /// The log that has the entry: its origin, which is also the name of its key.
    pub log: String,
    /// The entry's position from 0.
    pub index: u64,
    /// Its leaf hash (RFC 6962 §2.1).
    pub leaf_hash: Hash,
    /// When, RFC 3339.
    pub erased_at: String,
    /// What the log called the caller.
    pub subject: String,
    /// How many records of the caller were erased.
    pub records: u64,
    /// How many tickets.
    pub tickets: u64,
    /// Versions of the key-encryption key under which the destroyed keys were, separated by commas.
    pub keks: String,
}

impl ErasureReceipt {
    /// The receipt in a note that one of these keys has signed. The keys are of one log, and the receipt must be of that log.
    ///
    /// # Errors
    /// [`NoteError`]: nothing in the file is to be believed.
    pub fn open(note: &str, keys: &[Verifier]) -> Result<Self, NoteError> {
        let receipt = Self::parse(Verifier::verify_any(keys, note)?)?;
        if keys.iter().all(|key| receipt.log == key.name()) {
            Ok(receipt)
        } else {
            Err(NoteError::Erasure)
        }
    }

    /// Reads the text of a note that has been verified: only what [`Display`](fmt::Display) writes.
    fn parse(text: &str) -> Result<Self, NoteError> {
        Self::read(text)
            .filter(|receipt| receipt.to_string() == text)
            .ok_or(NoteError::Erasure)
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.strip_prefix(KIND)?.strip_prefix('\n')?.lines();
        let mut next = |word: &str| lines.next()?.strip_prefix(word)?.strip_prefix(' ');
        Some(Self {
            log: next("log")?.to_owned(),
            index: decimal(next("entry")?)?,
            leaf_hash: hash(next("leaf")?)?,
            erased_at: next("erased")?.to_owned(),
            subject: next("subject")?.to_owned(),
            records: decimal(next("records")?)?,
            tickets: decimal(next("tickets")?)?,
            keks: next("kek")?.to_owned(),
        })
    }
}

impl fmt::Display for ErasureReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{KIND}\nlog {}\nentry {}\nleaf {}",
            self.log, self.index, self.leaf_hash
        )?;
        writeln!(f, "erased {}\nsubject {}", self.erased_at, self.subject)?;
        writeln!(
            f,
            "records {}\ntickets {}\nkek {}",
            self.records, self.tickets, self.keks
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::Signer;

    const LOG: &str = "vault.example/log/1";

    fn receipt() -> ErasureReceipt {
        ErasureReceipt {
            log: LOG.to_owned(),
            index: 7,
            leaf_hash: crate::merkle::leaf_hash(b"entry"),
            erased_at: "2026-11-30T12:00:00.000Z".to_owned(),
            subject: "A1-TEST".to_owned(),
            records: 1,
            tickets: 2,
            keks: "1,2".to_owned(),
        }
    }

    #[test]
    fn what_was_signed_is_read_and_nothing_else() {
        let signer = Signer::from_seed(LOG, &[7; 32]).unwrap();
        let keys = [signer.verifier()];
        let text = receipt().to_string();
        assert_eq!(ErasureReceipt::open(&signer.sign(&text), &keys), Ok(receipt()));
        let altered = signer.sign(&text).replace("tickets 2", "tickets 3");
        assert_eq!(ErasureReceipt::open(&altered, &keys), Err(NoteError::Signature));
        let other = Signer::from_seed(LOG, &[8; 32]).unwrap();
        assert_eq!(
            ErasureReceipt::open(&other.sign(&text), &keys),
            Err(NoteError::UnknownKey)
        );
        // A line less, one more, a number in another spelling, another kind of note, a receipt of another log.
        let cut = text.rsplit_once("kek").unwrap().0;
        for text in [
            cut.to_owned(),
            format!("{text}more\n"),
            text.replace("entry 7", "entry 07"),
            text.replace(KIND, "callervault/erasure/2"),
            text.replace(LOG, "vault.example/log/2"),
            format!("{LOG}\n7\n{}\n", receipt().leaf_hash),
        ] {
            assert_eq!(
                ErasureReceipt::open(&signer.sign(&text), &keys),
                Err(NoteError::Erasure),
                "{text}"
            );
        }
    }
}
