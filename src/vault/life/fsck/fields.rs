//! Sealed fields: each opens where it stands, is what the log says, has its blind index, and none is gone.

use std::collections::{BTreeMap, BTreeSet};

use crate::log::leaf;
use crate::model::fields::{Field, FieldSet};
use crate::model::ids::{CallerId, RecordId, RecordKind};
use crate::store::rows::{BlindIndexRow, FieldRow, Row};
use crate::vault::life::fsck::Check;
use crate::vault::life::fsck::rows::Seen;

/// Callers' fields as their rows have them: name, and whether it has a blind index entry.
type OnFile = BTreeMap<CallerId, BTreeSet<String>>;

impl Check<'_> {
    pub(super) async fn fields(&mut self, seen: &Seen) {
        let mut indexed = BTreeSet::new();
        let mut on_file = OnFile::new();
        let rows = self.report.rows;
        self.each(FieldRow::table(), |check, row: FieldRow| {
            check.report.fields += 1;
            if let RecordId::Caller(caller) = row.record() {
                on_file.entry(caller).or_default().insert(row.field.clone());
            }
            check.field(&row, seen, &mut indexed);
        })
        .await;
        self.report.rows = rows;
        for (caller, field) in seen.blind_index.keys().filter(|key| !indexed.contains(*key)) {
            let place = format!("blind index of {}", seen.caller(*caller));
            self.find(place, format!("is of field {field}, which is not on file (orphan)"));
        }
        self.on_file(seen, &mut on_file);
    }

    /// The fields that a caller's row names, against those that are there.
    fn on_file(&mut self, seen: &Seen, rows: &mut OnFile) {
        for (id, caller) in &seen.callers {
            let there = rows.remove(id).unwrap_or_default();
            let named: BTreeSet<String> = caller.fields.iter().cloned().collect();
            for field in named.symmetric_difference(&there) {
                let what = if there.contains(field) {
                    "is not named by its caller's row"
                } else {
                    "is missing"
                };
                self.find(format!("field {field} of caller {}", caller.name), what);
            }
        }
    }

    fn field(&mut self, row: &FieldRow, seen: &Seen, indexed: &mut BTreeSet<(CallerId, String)>) {
        let Some(record) = seen.name(row.record()) else {
            let what = "belongs to a record that is not there (orphan)";
            self.find(format!("field {}", row.field), what);
            return;
        };
        let name = format!("field {} of {} {record}", row.field, row.record_kind.as_str());
        match self.expected.remove(&(record.to_owned(), row.field.clone())) {
            Some(digest) if digest == leaf::base64(&row.sealed_digest()) => {}
            Some(_) => self.find(&name, "is not what the log says was last written there"),
            None => self.unlogged(&name),
        }
        let declared = indexed_field(self.vault.fields(), &row.field).filter(|_| seen.is_indexed(row.record()));
        let entries = match (declared, row.record()) {
            (Some(field), RecordId::Caller(caller)) => {
                let place = (caller, row.field.clone());
                let entries = seen.blind_index.get(&place).map(Vec::as_slice).unwrap_or_default();
                indexed.insert(place);
                Some((field, entries))
            }
            _ => None,
        };
        let itself = |field: &Field, entry: &&BlindIndexRow| field.index() == Some(entry.idx.as_str());
        let one = |(field, entries): &(&Field, &[BlindIndexRow])| {
            entries.iter().filter(|entry| itself(field, entry)).count() == 1
        };
        // Entries of a merged record may have gone to the other one, or with a correction of its value there.
        let merged = seen.is_merged(row.record());
        if entries.is_some() && entries.filter(one).is_none() && !merged {
            self.find(&name, "has no blind index, or more than one");
        }
        let entries = entries.filter(|entries| merged || one(entries));
        let Some((_, key)) = self.keys.get(&row.record()) else {
            // Of one who was erased since nothing opens, and the record says so.
            if !self.is_erased(row.record()) {
                self.find(&name, "has no record key");
            }
            return;
        };
        match self.vault.keyring.check_field(row, key, entries, !merged) {
            Ok(true) => {}
            Ok(false) => self.find(&name, "has another blind index than its value gives"),
            Err(_) => self.find(&name, "does not open where it stands"),
        }
    }
}

/// The caller's field of that name, if it stands in a blind index.
fn indexed_field<'f>(fields: &'f FieldSet, name: &str) -> Option<&'f Field> {
    fields
        .get(name)
        .filter(|field| field.record() == RecordKind::Caller && field.index().is_some())
}
