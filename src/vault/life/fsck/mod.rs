//! Checking a vault at rest: every row opens or carries its code, every leaf hashes, what the log says was written is
//! what stands there, and orphans are named.
//!
//! Nothing that a row holds ends the check: what cannot be read is a finding, and the check goes on.

mod clients;
mod erased;
mod fields;
mod log;
mod log_index;
mod references;
mod rows;
mod tallies;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use self::rows::Seen;
use self::tallies::Tallies;
use crate::keyring::unlock::Opener;
use crate::log::leaf;
use crate::model::code::Code;
use crate::model::ids::{RecordId, RecordKind};
use crate::model::reference::Reference;
use crate::randomness::{Randomness, System};
use crate::store::StoreError;
use crate::store::rows::coded::row_digest;
use crate::store::rows::{Coded, Columns, FromColumns, Protected, Table, WrappedKey};
pub use crate::vault::core::{Finding, OrphanKey, Report, TimeBack};
use crate::vault::life::erasures::{Marks, marks};
use crate::vault::life::open::{OpenError, Places, Unlocked};

/// Rows between two words on progress.
const PAGE: u64 = 100;

/// Checks a vault that no process serves. `progress` hears the number of rows and entries looked at.
///
/// # Errors
/// [`OpenError`] when it cannot even be opened.
pub async fn check<'o>(
    places: &Places,
    opener: impl Into<Opener<'o>>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Report, OpenError> {
    let vault = opened(places, opener.into()).await?;
    let progress = |count| {
        progress(count);
        ControlFlow::Continue(())
    };
    checked(&vault, Some(&places.log_index()), &progress).await
}

/// Checks stores that nobody else uses: a vault's own, with the index of its log, or copies. `progress` hears the number of rows and
/// entries looked at, and may break it off; the report is worth nothing then.
///
/// # Errors
/// As [`check`].
pub(in crate::vault) async fn checked(
    vault: &Unlocked,
    index: Option<&Path>,
    progress: &(dyn Fn(u64) -> ControlFlow<()> + Sync),
) -> Result<Report, OpenError> {
    let mut check = Check {
        vault,
        progress,
        ends: false,
        report: Report::default(),
        expected: BTreeMap::new(),
        bodiless: Vec::new(),
        dropped_below: 0,
        dropped: false,
        latest: None,
        keys: BTreeMap::new(),
        marks: Marks::new(),
        references: BTreeMap::new(),
        tallies: Tallies::default(),
    };
    check.databases().await;
    // The keys of copies are those of the open vault, which has finished everything.
    check.interrupted(index.is_some()).await;
    check.log().await?;
    check.tallies().await;
    check.clients().await;
    if let Some(index) = index {
        // A log that cannot be read has been named: there is nothing to hold its index against.
        let index = log_index::check(&*vault.store, index).await;
        check.report.findings.extend(index.unwrap_or_default());
    }
    check.keys().await;
    check.references().await;
    let mut seen = Seen::default();
    check.deciding(&mut seen).await;
    check.dependent(&mut seen).await;
    check.fields(&seen).await;
    check.missing();
    check.records(&seen);
    Ok(check.report)
}

/// Deletes the index of the log and fills it again from the leaves. `progress` hears the number of entries indexed.
///
/// # Errors
/// [`OpenError`] when the vault cannot be opened or a database reports a fault.
pub async fn rebuild_index<'o>(
    places: &Places,
    opener: impl Into<Opener<'o>>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(), OpenError> {
    let vault = opened(places, opener.into()).await?;
    Ok(log_index::rebuild(&*vault.store, &places.log_index(), progress).await?)
}

/// Nothing is sealed by a check: where random bytes would come from does not matter.
async fn opened(places: &Places, opener: Opener<'_>) -> Result<Unlocked, OpenError> {
    let randomness: Arc<dyn Randomness> = Arc::new(System);
    Unlocked::open(places, opener, &randomness).await
}

struct Check<'v> {
    vault: &'v Unlocked,
    progress: &'v (dyn Fn(u64) -> ControlFlow<()> + Sync),
    /// It was broken off.
    ends: bool,
    report: Report,
    /// The newest digest the log has for each place, by owner and place.
    expected: BTreeMap<(String, String), String>,
    /// Entries without a body, in runs from one index to before another.
    bodiless: Vec<(u64, u64)>,
    /// The highest index below which the log at hand says bodies were dropped.
    dropped_below: u64,
    /// Bodies were dropped of some log.
    dropped: bool,
    /// The latest time of the entries so far, from where times last went back.
    latest: Option<Timestamp>,
    /// Wrapped keys and their positions.
    keys: BTreeMap<RecordId, (u64, WrappedKey)>,
    /// Keys that were destroyed.
    marks: Marks,
    /// What each stored reference stands for.
    references: BTreeMap<Reference, RecordId>,
    /// What the entries of the log at hand count.
    tallies: Tallies,
}

impl Check<'_> {
    fn find(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.report.findings.push(Finding {
            place: place.into(),
            what: what.into(),
        });
    }

    fn broken(&mut self, store: &str, fault: &StoreError) {
        let words = fault.to_string();
        let words = words.lines().next().unwrap_or_default();
        self.find(store, format!("cannot be read to its end: {words}"));
    }

    async fn databases(&mut self) {
        match self.vault.store.integrity().await {
            Ok(found) => found.into_iter().for_each(|words| self.find("data store", words)),
            Err(fault) => self.broken("data store", &fault),
        }
        match self.vault.keys.integrity().await {
            Ok(found) => found.into_iter().for_each(|words| self.find("key store", words)),
            Err(fault) => self.broken("key store", &fault),
        }
    }

    fn unreadable(&mut self, table: &str, position: u64) {
        self.find(
            format!("{table} row {position}"),
            "holds something the vault never writes",
        );
    }

    /// Shows the rows of a table that can be read; those that cannot are findings. Whether all could.
    async fn each<T: FromColumns>(
        &mut self,
        table: &'static Table,
        mut visit: impl FnMut(&mut Self, T) + Send,
    ) -> bool {
        let mut whole = true;
        let store = &self.vault.store;
        let mut row = |position: u64, columns: &mut dyn Columns| match T::from_columns(columns) {
            _ if self.ends => {}
            Err(_) => {
                whole = false;
                self.unreadable(table.name, position);
            }
            Ok(row) => {
                visit(self, row);
                self.report.rows += 1;
                if position.is_multiple_of(PAGE) {
                    let seen = self.report.entries + self.report.fields + self.report.rows;
                    self.ends = (self.progress)(seen).is_break();
                }
            }
        };
        let result = store.scan(table, &mut row).await;
        if let Err(fault) = result {
            whole = false;
            self.broken("data store", &fault);
        }
        whole
    }

    /// A rotation or an erasure that a crash has interrupted is finished, as at a start.
    async fn interrupted(&mut self, rotations: bool) {
        let rotated = if rotations {
            let rotated = self.vault.finish_rotations().await;
            rotated.and_then(|destructions| destructions.are_known())
        } else {
            Ok(())
        };
        let erasures = self.vault.finish_erasures().await.map(drop);
        for done in [rotated, erasures] {
            match done {
                // What a database reports stands among the findings already.
                Ok(()) | Err(OpenError::Store(_)) => {}
                Err(fault) => self.find("keyring", fault.to_string()),
            }
        }
    }

    async fn keys(&mut self) {
        let (mut keys, mut unreadable) = (Vec::new(), Vec::new());
        let mut visit = |position, key: Option<WrappedKey>| match key {
            Some(key) => keys.push((position, key)),
            None => unreadable.push(position),
        };
        let result = self.vault.keys.record_keys(&mut visit).await;
        for position in unreadable {
            self.unreadable("record_key", position);
        }
        if let Err(fault) = result {
            self.broken("key store", &fault);
        }
        self.marks = marks(&*self.vault.keys).await.unwrap_or_default();
        self.keys
            .extend(keys.into_iter().map(|(position, key)| (key.record(), (position, key))));
    }

    /// A row as it stands, its code, and where it says its leaf is: what does not have its code is looked at further, so that
    /// the row can be named.
    #[expect(
        clippy::disallowed_methods,
        reason = "`protected` names a row whose code does not fit"
    )]
    fn taken_apart<R: Protected>(coded: Coded<R>) -> (R, Code, Option<u64>) {
        coded.unchecked()
    }

    /// A row's code, and the log's digest of it if the log follows it.
    fn protected<R: Protected + Clone>(&mut self, row: &R, code: &Code, owner: &str, name: &str) {
        if self.vault.keyring.is_genuine(row, code).is_err() {
            self.find(name, "was edited: its code does not fit");
        }
        let Some(place) = row.place() else { return };
        match self.expected.remove(&(owner.to_owned(), place)) {
            Some(digest) if digest == leaf::base64(&row_digest(row)) => {}
            Some(_) => self.find(name, "is not what the log says was last written there"),
            None => self.unlogged(name),
        }
    }

    /// What the log says nothing about: where entries were dropped, one of them may have.
    fn unlogged(&mut self, name: &str) {
        if !self.dropped {
            self.find(name, "was never logged");
        } else {
            self.report.archived += 1;
        }
    }

    /// What the log says was written and nothing stands for.
    fn missing(&mut self) {
        for (owner, place) in std::mem::take(&mut self.expected).into_keys() {
            self.find(
                format!("{place} {owner}").trim_end().to_owned(),
                "was logged and is not there",
            );
        }
    }

    /// What each record must have besides its row: a key, and the references that were given out for it.
    fn records(&mut self, seen: &Seen) {
        for (position, key) in std::mem::take(&mut self.keys).into_values() {
            let kind = key.record_kind.as_str();
            let name = match seen.name(key.record()) {
                Some(name) => format!("record key of {kind} {name}"),
                None => {
                    self.report.orphan_keys.push(OrphanKey {
                        record: key.record_kind,
                        position,
                    });
                    format!("record key of a {kind}, row {position}")
                }
            };
            if self.vault.keyring.check_record_key(&key).is_err() {
                self.find(name, "does not unwrap");
            }
        }
        self.given(seen);
    }

    fn has_key(&mut self, record: RecordId, name: &str) {
        if self.is_erased(record) {
            self.report.erased += 1;
        } else if !self.keys.contains_key(&record) {
            self.find(
                format!("record key of {} {name}", record.kind().as_str()),
                "is missing: nothing of the record can be opened",
            );
        }
    }

    fn record_of(&self, field: &str) -> Option<RecordKind> {
        self.vault.fields().get(field).map(crate::model::fields::Field::record)
    }
}
