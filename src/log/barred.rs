//! Versions of keys with which nothing is written any more: they are about to be destroyed, or were.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::sequencer::Job;
use crate::model::key_roles::KeyRole;
use crate::store::Write;
use crate::store::rows::{Place, under};

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

/// The versions of keys that a job's writes were made with.
fn named(job: &Job) -> impl Iterator<Item = (KeyRole, u8)> {
    let rows = job.change.writes.iter().filter_map(|write| match write {
        Write::Put(row) => Some(row),
        _ => None,
    });
    let rows = rows.flat_map(|row| {
        let places = Place::all().filter(move |place| std::ptr::eq(place.table, row.table()));
        places.filter_map(move |place| Some((place.role, place.version(row.cells())?)))
    });
    let keys = job.change.keys.iter().map(|key| (KeyRole::Kek, key.kek));
    let client = job.leaf.iter().filter_map(|leaf| leaf.client.as_ref());
    let client = client.filter_map(|client| Some((KeyRole::Row, *client.as_bytes().get(under::BEHIND_SUITE)?)));
    rows.chain(keys).chain(client)
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
    use crate::model::ids::RecordKind;
    use crate::store::rows::WrappedKey;

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
