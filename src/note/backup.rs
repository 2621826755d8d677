//! The manifest of a backup: a signed note of its own kind. Its first line keeps it apart from a checkpoint, whose first line is the
//! log's origin.

use std::collections::BTreeMap;
use std::fmt;

use super::{NoteError, Verifier, decimal, hash};
use crate::merkle::Hash;
use crate::model::backups::Part;

/// The first line.
const KIND: &str = "callervault/backup/1";

/// What a vault signs when it has copied one of its stores. It names nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupManifest {
    /// The log in force: its origin, which is also the name of its key.
    pub log: String,
    /// Which vault: 32 hexadecimal digits, the same in both of its stores.
    pub vault: String,
    /// Which of its stores.
    pub part: Part,
    /// When it was copied, RFC 3339.
    pub made_at: String,
    /// The log's entry of who asked for the copy. It may lie behind what is copied.
    pub entry: u64,
    /// How many entries the log had: by its head in the data store, by the fence in the key store.
    pub size: u64,
    /// Its root hash at that size (RFC 6962 §2.1).
    pub root: Hash,
    /// The newest migration of the store's schema.
    pub schema: u64,
    /// How many rows each table has.
    pub rows: BTreeMap<String, u64>,
    /// The versions of keys that there were, each as `role/version`, without those that were destroyed.
    pub keys: Vec<String>,
    /// Bytes of the store's file.
    pub length: u64,
    /// SHA-256 of the store's file.
    pub sha256: Hash,
}

impl BackupManifest {
    /// The manifest in a note that one of these keys has signed.
    ///
    /// # Errors
    /// [`NoteError`]: nothing in the backup is to be believed.
    pub fn open(note: &str, keys: &[Verifier]) -> Result<Self, NoteError> {
        let manifest = Self::parse(Verifier::verify_any(keys, note)?)?;
        let is_of = |key: &Verifier| manifest.log == key.name();
        if keys.iter().all(is_of) {
            Ok(manifest)
        } else {
            Err(NoteError::Backup)
        }
    }

    /// Reads the text of a note: only what [`Display`](fmt::Display) writes. It is to be believed once [`Self::open`] has verified the
    /// note.
    ///
    /// # Errors
    /// [`NoteError::Backup`].
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        Self::read(text)
            .filter(|manifest| manifest.to_string() == text)
            .ok_or(NoteError::Backup)
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.strip_prefix(KIND)?.strip_prefix('\n')?.lines();
        let mut next = |word: &str| lines.next()?.strip_prefix(word)?.strip_prefix(' ');
        Some(Self {
            log: next("log")?.to_owned(),
            vault: next("vault")?.to_owned(),
            part: Part::from_word(next("holds")?)?,
            made_at: next("made")?.to_owned(),
            entry: decimal(next("entry")?)?,
            size: decimal(next("size")?)?,
            root: hash(next("root")?)?,
            schema: decimal(next("schema")?)?,
            rows: counted(next("rows")?)?,
            keys: next("keys")?.split(',').map(str::to_owned).collect(),
            length: decimal(next("bytes")?)?,
            sha256: hash(next("sha256")?)?,
        })
    }
}

fn counted(rows: &str) -> Option<BTreeMap<String, u64>> {
    let row = |row: &str| {
        let (table, count) = row.split_once('=')?;
        Some((table.to_owned(), decimal(count)?))
    };
    rows.split(',').map(row).collect()
}

impl fmt::Display for BackupManifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<String> = self
            .rows
            .iter()
            .map(|(table, count)| format!("{table}={count}"))
            .collect();
        writeln!(f, "{KIND}\nlog {}\nvault {}\nholds {}", self.log, self.vault, self.part)?;
        writeln!(
            f,
            "made {}\nentry {}\nsize {}\nroot {}",
            self.made_at, self.entry, self.size, self.root
        )?;
        writeln!(
            f,
            "schema {}\nrows {}\nkeys {}",
            self.schema,
            rows.join(","),
            self.keys.join(",")
        )?;
        writeln!(f, "bytes {}\nsha256 {}", self.length, self.sha256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::Signer;

    const LOG: &str = "vault.example/log/1";

    fn manifest() -> BackupManifest {
        BackupManifest {
            log: LOG.to_owned(),
            vault: "0f".repeat(16),
            part: Part::Data,
            made_at: "2026-11-30T12:00:00.000Z".to_owned(),
            entry: 6,
            size: 7,
            root: crate::merkle::leaf_hash(b"root"),
            schema: 3,
            rows: [("caller".to_owned(), 2), ("ticket".to_owned(), 0)].into(),
            keys: vec!["kek/1".to_owned(), "kek/2".to_owned()],
            length: 4096,
            sha256: crate::merkle::leaf_hash(b"content"),
        }
    }

    #[test]
    fn what_was_signed_is_read_and_nothing_else() {
        let signer = Signer::from_seed(LOG, &[7; 32]).unwrap();
        let keys = [signer.verifier()];
        let text = manifest().to_string();
        assert_eq!(BackupManifest::open(&signer.sign(&text), &keys), Ok(manifest()));
        let altered = signer.sign(&text).replace("size 7", "size 8");
        assert_eq!(BackupManifest::open(&altered, &keys), Err(NoteError::Signature));
        let other = Signer::from_seed(LOG, &[8; 32]).unwrap();
        assert_eq!(
            BackupManifest::open(&other.sign(&text), &keys),
            Err(NoteError::UnknownKey)
        );
        // A line less, one more, a number in another spelling, tables in another order, another kind of note, another log.
        let cut = text.rsplit_once("sha256").unwrap().0;
        for text in [
            cut.to_owned(),
            format!("{text}more\n"),
            text.replace("size 7", "size 07"),
            text.replace("caller=2,ticket=0", "ticket=0,caller=2"),
            text.replace("holds data", "holds both"),
            text.replace(KIND, "callervault/backup/2"),
            text.replace(LOG, "vault.example/log/2"),
            format!("{LOG}\n7\n{}\n", manifest().root),
        ] {
            assert_eq!(
                BackupManifest::open(&signer.sign(&text), &keys),
                Err(NoteError::Backup),
                "{text}"
            );
        }
    }
}
