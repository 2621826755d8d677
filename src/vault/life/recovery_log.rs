//! What the log says of a recovery: whether its row is the one last written, whether it was ended since, and how long the vault was served.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::log::ProvedEntry;
use crate::log::leaf::{self, Leaf};
use crate::model::ask::Action;
use crate::model::problems::{self, ProblemKind};
use crate::store::rows::coded::row_digest;
use crate::store::rows::{Genuine, Protected, RecoveryRow};
use crate::vault::{Error, Vault};

/// Entries that are looked through at a time, and those that a clock is compared with before a recovery is begun.
pub(super) const CHUNK: u64 = 256;
/// The word of an entry for what was done.
pub(super) const DEED: &str = "deed";
/// A recovery was ended at the command line.
pub(super) const CANCEL: &str = "cancel";
/// How a server unlocks: at its start, and later.
const SERVED: [&str; 2] = ["serve", "unlock"];

/// What the entries after the beginning of a recovery say, read from the newest one back.
#[derive(Default)]
struct Since {
    /// Somebody stopped or cancelled a recovery.
    ended: bool,
    /// The newest entry of each node.
    newest: HashMap<String, Timestamp>,
    /// The time of the first unlock by a server.
    first_served: Option<Timestamp>,
    /// The newest entry of a node that a server ran on, after that server's unlock.
    last_served: Option<Timestamp>,
}

impl Since {
    fn take(&mut self, leaf: &Leaf) {
        let granted = leaf.out == "granted";
        let link = |word: &str| leaf.link.as_ref().and_then(|link| link.get(word)).map(String::as_str);
        let stopped = leaf.act == Action::StopRecovery.as_str();
        let cancelled = leaf.act == leaf::RECOVER && link(DEED) == Some(CANCEL);
        self.ended |= granted && (stopped || cancelled);
        let Some(at) = time(leaf) else { return };
        let newest = *self.newest.entry(leaf.node.clone()).or_insert(at);
        if leaf.act == leaf::UNLOCK && link(leaf::WAY).is_some_and(|way| SERVED.contains(&way)) {
            self.first_served = Some(at);
            self.last_served = self.last_served.max(Some(newest));
        }
    }

    /// From the first unlock by a server to the last entry of one.
    fn served(&self) -> SignedDuration {
        match (self.first_served, self.last_served) {
            (Some(first), Some(last)) => last.duration_since(first),
            _ => SignedDuration::ZERO,
        }
    }
}

impl Vault {
    /// Why the log does not let a recovery with this row be finished; nothing where it does. The newest entry about a recovery of the
    /// account must say that the row is as it stands, no recovery may have been ended since, and the vault must have been served for
    /// half of the delay.
    pub(super) async fn unfinished(&self, row: &Genuine<RecoveryRow>) -> Result<Option<&'static ProblemKind>, Error> {
        let Some(place) = row.place() else {
            return Ok(Some(problems::RECOVERY_NOT_LOGGED));
        };
        let right = leaf::base64(&row_digest(&**row));
        let mut since = Since::default();
        let mut end = self.log.size();
        while end > 0 {
            let first = end.saturating_sub(CHUNK);
            let count = u32::try_from(end - first).unwrap_or(u32::MAX);
            for entry in self.store.entries(first, count).await?.into_iter().rev() {
                // Nobody archives what is younger than a recovery lasts; one that says nothing any more is no proof.
                if entry.body.is_empty() {
                    return Ok(Some(problems::RECOVERY_NOT_LOGGED));
                }
                let Some(leaf) = ProvedEntry::new(entry)?.leaf() else {
                    continue;
                };
                if let Some(digest) = leaf.digest.as_ref().and_then(|digests| digests.get(&place)) {
                    return Ok(verdict(*digest == right, &since, row));
                }
                since.take(&leaf);
            }
            end = first;
        }
        Ok(Some(problems::RECOVERY_NOT_LOGGED))
    }

    /// The time, if no entry among the newest is later: a clock that was set back makes no delay.
    pub(super) async fn time_after_all(&self) -> Result<Timestamp, Error> {
        let now = self.clock.now()?;
        let first = self.log.size().saturating_sub(CHUNK);
        let count = u32::try_from(CHUNK).unwrap_or(u32::MAX);
        for entry in self.store.entries(first, count).await? {
            // One that was archived says no time; it is older than the retention period.
            if entry.body.is_empty() {
                continue;
            }
            let leaf = ProvedEntry::new(entry)?.leaf();
            if leaf.as_ref().and_then(time).is_some_and(|at| at > now) {
                return Err(Error::Bad(problems::CLOCK_BEHIND_LOG));
            }
        }
        Ok(now)
    }
}

fn verdict(as_logged: bool, since: &Since, row: &RecoveryRow) -> Option<&'static ProblemKind> {
    let delay = row.ready_at.duration_since(row.started_at);
    if !as_logged {
        Some(problems::RECOVERY_NOT_LOGGED)
    } else if since.ended {
        Some(problems::NO_RECOVERY)
    } else if since.served() < delay / 2 {
        Some(problems::RECOVERY_NOT_SERVED)
    } else {
        None
    }
}

fn time(leaf: &Leaf) -> Option<Timestamp> {
    leaf.t.parse().ok()
}
