//! Versions of keys with which nothing is written any more: they are about to be destroyed, or were.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::sequencer::Job;
use crate::model::key_roles::KeyRole;
use crate::store::Write;
use crate::store::rows::{Cell, Place, under};

/// Written by whoever destroys a key, and read by the log's thread for each job. It is about jobs that were decided on in this process:
/// after a start there are none that know an older version.
///
/// How many have put up a bar, for each version.
#[derive(Default)]
pub(super) struct Barred(Mutex<BTreeMap<(KeyRole, u8), u32>>);

impl Barred {
    fn bars_there(&self) -> MutexGuard<'_, BTreeMap<(KeyRole, u8), u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a job would write something that was made with one of them.
    pub(super) fn bars(&self, job: &Job) -> bool {
        let there = self.bars_there();
        !there.is_empty() && named(job).any(|key| there.contains_key(&key))
    }
}

/// The versions of keys that a job's writes were made with. Record keys under another key-encryption key do not pass here: the key store
/// itself takes none under a version that is not the active one.
fn named(job: &Job) -> impl Iterator<Item = (KeyRole, u8)> {
    let rows = job.change.writes.iter().flat_map(named_by);
    let keys = job.change.keys.iter().map(|key| (KeyRole::Kek, key.kek));
    let client = job.leaf.iter().filter_map(|leaf| leaf.client.as_ref());
    let client = client.filter_map(|client| Some((KeyRole::Row, *client.as_bytes().get(under::BEHIND_SUITE)?)));
    rows.chain(keys).chain(client)
}

/// Those that one write leaves behind.
fn named_by(write: &Write) -> Vec<(KeyRole, u8)> {
    match write {
        Write::Put(row) => {
            let places = Place::all().filter(|place| std::ptr::eq(place.table, row.table()));
            let named = places.filter_map(|place| Some((place.role, place.version(row.cells())?)));
            named.collect()
        }
        Write::Reindex(_, new) => vec![
            (KeyRole::Index, new.value.version()),
            (KeyRole::Row, new.code().version()),
        ],
        Write::Recode { cells, .. } => match cells.last() {
            Some(Cell::Bytes(code)) => code
                .first()
                .map(|version| (KeyRole::Row, *version))
                .into_iter()
                .collect(),
            _ => Vec::new(),
        },
        Write::Unindex(..)
        | Write::Unseal(..)
        | Write::Forget(_)
        | Write::Unrefer(_)
        | Write::DropBodies(_)
        | Write::NextLog => Vec::new(),
    }
}

/// Nothing that was made with a version of a key is written as long as this is there.
pub struct Bar {
    barred: Arc<Barred>,
    key: (KeyRole, u8),
    kept: bool,
}

impl Bar {
    pub(super) fn put_up(barred: &Arc<Barred>, key: (KeyRole, u8)) -> Self {
        *barred.bars_there().entry(key).or_default() += 1;
        Self {
            barred: Arc::clone(barred),
            key,
            kept: false,
        }
    }

    /// The key is gone: the bar stays.
    pub fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let mut there = self.barred.bars_there();
        let left = there.get(&self.key).map_or(0, |count| count - 1);
        if left == 0 {
            there.remove(&self.key);
        } else {
            there.insert(self.key, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use tokio::sync::oneshot;

    use super::*;
    use crate::log::Change;
    use crate::model::code::Code;
    use crate::model::ids::{CallerId, RecordKind};
    use crate::store::rows::{BlindIndexRow, Column, Genuine, Row, WrappedKey};

    fn job(kek: u8) -> Job {
        let key = WrappedKey {
            record_kind: RecordKind::Caller,
            record: [1; 16],
            kek,
            generation: 1,
            wrapped: Vec::new(),
        };
        Job {
            leaf: None,
            change: Change {
                keys: vec![key],
                ..Change::default()
            },
            deadline: Instant::now() + Duration::from_secs(3_600),
            reply: oneshot::channel().0,
        }
    }

    /// An entry of a blind index under these versions of the index key and of the row key.
    #[expect(
        clippy::disallowed_methods,
        reason = "a bar looks at the versions of codes and at nothing else"
    )]
    fn entry(index: u8, row: u8) -> Genuine<BlindIndexRow> {
        let entry = BlindIndexRow {
            idx: "phone".to_owned(),
            value: Code::new(index, [0; 16]),
            caller: CallerId::from_bytes([1; 16]),
            field: "caller_number".to_owned(),
            certain: false,
        };
        Genuine::attested(entry, Code::new(row, [0; 16]), None)
    }

    fn writing(write: Write) -> Job {
        let mut job = job(9);
        job.change.keys.clear();
        job.change.writes.push(write);
        job
    }

    /// A step of a rewrap that was composed before a rotation, and comes once the version it moves to is about to be destroyed.
    #[test]
    fn what_moves_to_a_barred_key_is_not_taken() {
        let barred = Arc::new(Barred::default());
        let code = |version| Code::new(version, [0; 16]).cell();
        let recode = |version| Write::Recode {
            table: BlindIndexRow::table(),
            cells: vec![code(1), code(version)],
        };
        let reindex = |index, row| Write::Reindex(entry(1, 1), entry(index, row));
        let _row = Bar::put_up(&barred, (KeyRole::Row, 2));
        assert!(barred.bars(&writing(recode(2))) && !barred.bars(&writing(recode(3))));
        assert!(barred.bars(&writing(reindex(3, 2))) && !barred.bars(&writing(reindex(3, 3))));
        let _index = Bar::put_up(&barred, (KeyRole::Index, 2));
        assert!(barred.bars(&writing(reindex(2, 3))) && !barred.bars(&writing(reindex(3, 3))));
        assert!(barred.bars(&writing(Write::put(entry(2, 3)))));
    }

    #[test]
    fn what_was_made_with_a_barred_key_is_not_taken() {
        let barred = Arc::new(Barred::default());
        assert!(!barred.bars(&job(1)));
        let bar = Bar::put_up(&barred, (KeyRole::Kek, 1));
        assert!(barred.bars(&job(1)) && !barred.bars(&job(2)));
        // Of two who try the same, the first to give up does not take away the other's.
        let other = Bar::put_up(&barred, (KeyRole::Kek, 1));
        drop(bar);
        assert!(barred.bars(&job(1)));
        drop(other);
        assert!(!barred.bars(&job(1)));
        Bar::put_up(&barred, (KeyRole::Kek, 1)).keep();
        assert!(barred.bars(&job(1)));
    }
}
