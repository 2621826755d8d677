//! Dropping the bodies of old entries. Their hashes and every tile stay, so all proofs still verify; the bytes are in the
//! archive that was exported.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cells;
use crate::log::history::NoHistory;
use crate::log::{Change, NotProved, ProvedEntry};
use crate::merkle::TILE_WIDTH;
use crate::model::ask::Action;
use crate::model::problems;
use crate::model::purposes::Purpose;
use crate::store::Write;
use crate::store::rows::archive::BY_LOG;
use crate::store::rows::{ArchiveRow, EntryRow, Genuine, PastLogRow};
use crate::vault::Retention;
use crate::vault::auditing::read::NO_LEAF;
use crate::vault::auditing::search::Beyond;
use crate::vault::people::approvals::{Exact, LOG, is_overtaken};
use crate::vault::{Audit, Error, Session, Vault};

/// Nothing else is logged while bodies are dropped, so no more than these at a time.
const MOST: u64 = 65_536;
const PAGE: u32 = 1024;
/// The word of a prune's request and leaf.
pub(in crate::vault) const BELOW: &str = "below";
/// The first entry whose body is still there.
const FROM: &str = "from";

/// The bodies to drop.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Retain {
    /// Drop the bodies of entries below this index, a multiple of 256.
    #[schema(example = 25_600)]
    pub below: u64,
}

/// The bodies were dropped.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Dropped {
    /// The bodies of entries below this index were dropped.
    pub below: u64,
    /// The log entry of this act.
    pub audit: Audit,
}

impl Vault {
    /// Keeps bodies of entries so long from now on.
    #[must_use]
    pub fn retaining(mut self, retention: Retention) -> Self {
        self.opening.retention = retention;
        self
    }

    /// Drops the bodies of entries below an index, with a second person's approval.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::RefusedBecause`]; [`Error::Bad`] for an index that cannot be; [`Error::Retained`].
    pub async fn drop_bodies(&self, session: &Session, body: &Retain, exact: &Exact) -> Result<Dropped, Error> {
        let done = self.drop_bodies_once(session, body, exact).await;
        if is_overtaken(&done, exact) {
            return self.drop_bodies_once(session, body, exact).await;
        }
        done
    }

    async fn drop_bodies_once(&self, session: &Session, body: &Retain, exact: &Exact) -> Result<Dropped, Error> {
        let below = body.below;
        let ask = self.ask(session, Action::PruneLog, Purpose::Administer)?;
        self.may_with_two(&ask).await?;
        let archive = self.archive().await?;
        let dropped = archive.as_ref().map_or(0, |archive| archive.below);
        let at = ask.at();
        // Where an approval is named, it is told first that more was dropped since: that refusal is in the log.
        if exact.approval.is_none() {
            self.may_be_dropped(dropped, below, at).await?;
        }
        let log = self.log.origin();
        let about = [
            (BELOW, below.to_string()),
            (FROM, dropped.to_string()),
            (LOG, log.to_owned()),
        ];
        let about = about.map(|(name, value)| (name.to_owned(), value)).into();
        let act = self.with_two(ask, about, exact).await?;
        self.may_be_dropped(dropped, below, at).await?;
        let archive = ArchiveRow {
            log: log.to_owned(),
            below,
            version: archive.map_or(0, |archive| archive.version) + 1,
        };
        let change = Change {
            writes: vec![
                Write::DropBodies(dropped..below),
                Write::put(self.keyring.protect(archive)?),
            ],
            ..Change::default()
        };
        let audit = self.act(act, change).await?.position().into();
        Ok(Dropped { below, audit })
    }

    async fn may_be_dropped(&self, dropped: u64, below: u64, now: Timestamp) -> Result<(), Error> {
        if below == 0 || !below.is_multiple_of(TILE_WIDTH as u64) {
            return Err(Error::Bad(problems::NO_BUNDLE));
        }
        if below > self.store.head().await?.size {
            return Err(Error::Bad(problems::BEYOND_THE_LOG));
        }
        if below <= dropped {
            return Err(Error::Bad(problems::DROPPED_ALREADY));
        }
        if below - dropped > MOST {
            return Err(Error::Bad(problems::TOO_MANY_AT_ONCE));
        }
        let youngest = now
            .checked_sub(self.opening.retention.0)
            .map_err(|_| crate::clock::NoClock)?;
        let mut first = dropped;
        while first < below {
            let entries = self.store.entries(first, PAGE).await?;
            for entry in entries.into_iter().filter(|entry| entry.idx < below) {
                let index = entry.idx;
                if logged_at(entry)? > youngest {
                    return Err(Error::Retained(index));
                }
            }
            first += u64::from(PAGE);
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Below which index bodies of the log in force have been dropped.
    pub(super) async fn archived_below(&self) -> Result<u64, Error> {
        Ok(self.archive().await?.map_or(0, |archive| archive.below))
    }

    /// Whether the body of an entry at this index was dropped, of the log in force or of one before it.
    pub(in crate::vault) async fn was_archived(&self, index: u64) -> Result<bool, Error> {
        let past = self.store.past_logs().await?.into_iter().map(|past| origin_of(&past));
        for log in past.chain([self.log.origin().to_owned()]) {
            if self.archive_of(log).await?.is_some_and(|archive| index < archive.below) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What the vault wrote when it last dropped bodies of the log in force.
    async fn archive(&self) -> Result<Option<Genuine<ArchiveRow>>, Error> {
        self.archive_of(self.log.origin().to_owned()).await
    }

    async fn archive_of(&self, log: String) -> Result<Option<Genuine<ArchiveRow>>, Error> {
        let row = self.store.one(&BY_LOG, &cells![log]).await?;
        Ok(row.map(|row| self.keyring.genuine(row)).transpose()?)
    }

    /// What an answer about the log cannot know of.
    pub(super) async fn beyond(&self, archived_below: u64) -> Result<Beyond, Error> {
        let past = self.store.past_logs().await?;
        Ok(Beyond {
            archived_below: (archived_below > 0).then_some(archived_below),
            earlier_logs: past.iter().map(origin_of).collect(),
        })
    }

    /// Why the log cannot give it: its body was dropped with permission, or it was changed or damaged.
    pub(super) async fn no_history(&self, missing: NoHistory) -> Error {
        let NoHistory::Empty(index) = missing else {
            return missing.into();
        };
        match self.archived_below().await {
            Ok(below) if index < below => Error::Archived(below),
            Ok(_) => NotProved(index).into(),
            Err(error) => error,
        }
    }
}

fn origin_of(past: &PastLogRow) -> String {
    past.checkpoint.lines().next().unwrap_or_default().to_owned()
}

/// When an entry was logged, from bytes that have their hash.
fn logged_at(entry: EntryRow) -> Result<Timestamp, Error> {
    let leaf = ProvedEntry::new(entry)?.leaf().ok_or(NO_LEAF)?;
    Ok(leaf.t.parse().map_err(|_| NO_LEAF)?)
}
