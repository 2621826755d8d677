//! The addresses beside entries: each opens where it stands, and is the one that its entry has the digest of.

use crate::cells;
use crate::log::ProvedEntry;
use crate::store::rows::client;
use crate::store::rows::log::{FROM, PAST_FROM};
use crate::store::rows::{ClientRow, EntryRow, Row};
use crate::store::{Result, StoreError};
use crate::vault::auditing::clients::address;
use crate::vault::life::fsck::Check;

/// Entries that are looked at together.
const PAGE: u32 = 1000;

impl Check<'_> {
    /// Entries whose body was dropped have no address any more.
    pub(super) async fn clients(&mut self) {
        let past = self.vault.store.past_logs().await.unwrap_or_default();
        let in_force = u64::try_from(past.len()).unwrap_or(u64::MAX).saturating_add(1);
        let mut of_entries = 0_u64;
        for log in 1..=in_force {
            match self.clients_of(log, log == in_force).await {
                Ok(count) => of_entries = of_entries.saturating_add(count),
                Err(fault) => self.broken("data store", &fault),
            }
        }
        let mut all = 0_u64;
        self.each(ClientRow::table(), |_, _: ClientRow| all += 1).await;
        if all > of_entries {
            let many = all - of_entries;
            self.find("client addresses", format!("{many} belong to no entry that has one"));
        }
    }

    /// Compares the entries of one log with what stands beside them; how many addresses do.
    async fn clients_of(&mut self, log: u64, in_force: bool) -> Result<u64> {
        let (mut first, mut count) = (0, 0);
        loop {
            let entries = self.entries_of(log, in_force, first).await?;
            let Some(last) = entries.last().map(|entry| entry.idx) else {
                return Ok(count);
            };
            let beside = cells![log, first, PAGE];
            let mut rows = match self.vault.store.all(&client::FROM, &beside).await {
                Ok(rows) => rows.into_iter().peekable(),
                // The scan of the table names it.
                Err(StoreError::Corrupt(_)) => return Ok(u64::MAX),
                Err(other) => return Err(other),
            };
            for entry in entries {
                while rows.next_if(|row| row.idx < entry.idx).is_some() {}
                let row = rows.next_if(|row| row.idx == entry.idx);
                count += u64::from(self.client(log, in_force, entry, row.as_ref()));
            }
            first = last + 1;
            tokio::task::yield_now().await;
        }
    }

    async fn entries_of(&self, log: u64, in_force: bool, first: u64) -> Result<Vec<EntryRow>> {
        let store = &self.vault.store;
        if in_force {
            return store.all(&FROM, &cells![first, PAGE]).await;
        }
        let past = store.all(&PAST_FROM, &cells![log, first, PAGE]).await?;
        Ok(past.into_iter().map(EntryRow::from).collect())
    }

    /// Whether there is an address that the entry may have; one that is not right is named.
    fn client(&mut self, log: u64, in_force: bool, entry: EntryRow, row: Option<&ClientRow>) -> bool {
        let index = entry.idx;
        // What is wrong with the entry itself has been named.
        let leaf = ProvedEntry::new(entry).ok().and_then(|entry| entry.leaf());
        let Some(leaf) = leaf.filter(|leaf| leaf.client.is_some()) else {
            return false;
        };
        let place = if in_force {
            format!("client address of log entry {index}")
        } else {
            format!("client address of entry {index} of past log {log}")
        };
        match row {
            Some(row) if address(&self.vault.keyring, &leaf, row).is_err() => {
                self.find(place, "is not the one that was logged");
            }
            Some(_) => {}
            // Those of earlier logs go when the first bodies of this one are dropped.
            None if !in_force && self.dropped => {}
            None => self.find(place, "is missing"),
        }
        row.is_some()
    }
}
