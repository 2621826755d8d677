//! Following the log, for archives and SIEMs. Nobody waits for a follower: entries are durable before it hears of them.

use serde::Serialize;

use crate::log::ProvedEntry;
use crate::log::history::NoHistory;
use crate::model::ask::Action;
use crate::model::problems;
use crate::store::rows::EntryRow;
use crate::vault::auditing::read::Entry;
use crate::vault::{Audit, Error, LARGEST_PAGE, Session, Vault};

/// The next entries.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Followed {
    /// Entries in order; empty if there was no new entry for 20 seconds, with `wait=false` if there is none, and if the server
    /// stops.
    pub entries: Vec<Entry>,
    /// Send this as `from` to continue.
    pub next: u64,
    /// Number of entries in the log after these.
    pub behind: u64,
    /// The log entry of this read; absent when nothing was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit: Option<Audit>,
}

impl Vault {
    /// Entries from `from` on, at most `limit`; if there are none yet, waits for one, but not longer than for `enough`.
    ///
    /// Each delivery is in the log, as an entry that is delivered next. So that followers do not go on for ever, also two that
    /// deliver to each other, one to whom only deliveries are new waits as well.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Bad`] beyond the log: waiting there would pass for a log without news.
    pub async fn follow(
        &self,
        session: &Session,
        from: u64,
        limit: u32,
        enough: impl Future<Output = ()> + Send,
    ) -> Result<Followed, Error> {
        let ask = self.ask_log(session, Action::ExportLog)?;
        let permit = self.may_audit(ask).await?;
        if from > self.log.size() {
            return Err(Error::Bad(problems::NOTHING_TO_FOLLOW));
        }
        let limit = limit.clamp(1, LARGEST_PAGE);
        // Without news only deliveries are new, or nothing. A store that fails fails again below.
        tokio::select! {
            _ = self.news(from, limit) => {}
            () = enough => {}
        }
        // It may have been locked meanwhile.
        self.is_open()?;
        let rows = self.store.entries(from, limit).await?;
        let next = from + rows.len() as u64;
        let behind = self.log.size().saturating_sub(next);
        if rows.is_empty() {
            return Ok(Followed {
                entries: Vec::new(),
                next,
                behind,
                audit: None,
            });
        }
        if let Some(empty) = rows.iter().find(|row| row.body.is_empty()) {
            return Err(self.no_history(NoHistory::Empty(empty.idx)).await);
        }
        let audit = self.note(permit).await?;
        Ok(Followed {
            entries: rows.into_iter().map(Entry::read).collect::<Result<_, _>>()?,
            next,
            behind,
            audit: Some(audit),
        })
    }

    /// Returns once there is an entry from `from` on that is no delivery to a follower.
    async fn news(&self, from: u64, limit: u32) -> Result<(), Error> {
        let mut seen = from;
        loop {
            self.log.grown_beyond(seen).await;
            let rows = self.store.entries(seen, limit).await?;
            seen += rows.len() as u64;
            if rows.into_iter().any(is_news) || seen - from >= u64::from(limit) {
                return Ok(());
            }
        }
    }
}

fn is_news(row: EntryRow) -> bool {
    let leaf = ProvedEntry::new(row).ok().and_then(|entry| entry.leaf());
    // A refusal is news.
    leaf.is_none_or(|leaf| leaf.act != Action::ExportLog.as_str() || leaf.out != "granted")
}
