//! Checking a vault at rest: every row opens or carries its code, every leaf hashes, what the log says was written is
//! what stands there, and orphans are named.

use std::collections::{BTreeMap, BTreeSet};

use super::auditing::index;
use super::open::{OpenError, Places, Unlocked};
use crate::audit::leaf::{self, Leaf};
use crate::audit::startup;
use crate::keyring::unlock::Passphrase;
use crate::merkle::{Frontier, Tile, TileBuilder};
use crate::model::fields::FieldSet;
use crate::model::ids::{CallerId, RecordId, RecordKind, TicketId};
use crate::model::reference::DepartmentCode;
use crate::refs;
use crate::store::rows::{FieldRow, IndexRow, Protected};
use crate::store::{AnyRow, StoreError, Table};

const PAGE: u32 = 1000;

/// One thing that is not as it should be. Names places, never values.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// Where.
    pub place: String,
    /// What.
    pub what: String,
}

/// What was looked at and what was found.
#[derive(Debug, Default, serde::Serialize)]
pub struct Report {
    /// Entries of the log.
    pub entries: u64,
    /// Sealed fields.
    pub fields: u64,
    /// Other rows.
    pub rows: u64,
    /// Keys whose records never came to be (a crash between the two stores) or are gone. They harm nobody.
    pub orphan_keys: u64,
    /// Everything that is not as it should be.
    pub findings: Vec<Finding>,
}

/// Checks a vault that no process serves. `progress` hears the number of rows and entries looked at.
///
/// # Errors
/// [`OpenError`] when it cannot even be opened.
pub async fn check(places: &Places, passphrase: &Passphrase, progress: &dyn Fn(u64)) -> Result<Report, OpenError> {
    let vault = Unlocked::open(places, passphrase).await?;
    let mut check = Check {
        vault: &vault,
        progress,
        report: Report::default(),
        expected: BTreeMap::new(),
    };
    check.databases().await?;
    check.log().await?;
    let index = index::check(&*vault.store, &places.log_index()).await?;
    check.report.findings.extend(index);
    let seen = check.tables().await?;
    check.fields(&seen).await?;
    check.missing();
    check.orphans(&seen).await?;
    Ok(check.report)
}

/// Deletes the index of the log and fills it again from the leaves. `progress` hears the number of entries indexed.
///
/// # Errors
/// [`OpenError`] when the vault cannot be opened or a database reports a fault.
pub async fn rebuild_index(
    places: &Places,
    passphrase: &Passphrase,
    progress: &dyn Fn(u64),
) -> Result<(), OpenError> {
    let vault = Unlocked::open(places, passphrase).await?;
    Ok(index::rebuild(&*vault.store, &places.log_index(), progress).await?)
}

struct Check<'v> {
    vault: &'v Unlocked,
    progress: &'v dyn Fn(u64),
    report: Report,
    /// The newest digest the log has for each place, by owner and place.
    expected: BTreeMap<(String, String), String>,
}

/// Records by what the log calls them.
#[derive(Default)]
struct Seen {
    callers: BTreeMap<CallerId, String>,
    tickets: BTreeMap<TicketId, String>,
    /// Steps of custody still to be seen, per ticket.
    steps: BTreeMap<TicketId, u64>,
    index: BTreeMap<(CallerId, String), Vec<IndexRow>>,
}

impl Check<'_> {
    fn find(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.report.findings.push(Finding {
            place: place.into(),
            what: what.into(),
        });
    }

    async fn databases(&mut self) -> Result<(), StoreError> {
        for words in self.vault.store.integrity().await? {
            self.find("data store", words);
        }
        for words in self.vault.keys.integrity().await? {
            self.find("key store", words);
        }
        Ok(())
    }

    async fn log(&mut self) -> Result<(), OpenError> {
        let mut frontier = Frontier::new();
        let mut builder = TileBuilder::new();
        let mut tiles: BTreeMap<(u8, u64), Tile> = BTreeMap::new();
        loop {
            let entries = self.vault.store.entries(frontier.size(), PAGE).await?;
            if entries.is_empty() {
                break;
            }
            for entry in entries {
                if entry.index != frontier.size() {
                    self.find(format!("log entry {}", frontier.size()), "is missing");
                    self.report.entries = frontier.size();
                    return Ok(());
                }
                if startup::prove_leaf(&entry).is_err() {
                    self.find(
                        format!("log entry {}", entry.index),
                        "does not have the hash it was logged with",
                    );
                }
                self.leaf(entry.index, &entry.body);
                frontier.push(entry.leaf_hash);
                tiles.extend(
                    builder
                        .push(entry.leaf_hash)
                        .into_iter()
                        .map(|tile| ((tile.level, tile.index), tile)),
                );
            }
            (self.progress)(frontier.size());
        }
        self.report.entries = frontier.size();
        self.head(&frontier).await?;
        self.tiles(tiles).await?;
        Ok(())
    }

    fn leaf(&mut self, index: u64, body: &[u8]) {
        let Some(leaf) = Leaf::parse(body) else {
            self.find(format!("log entry {index}"), "is not a leaf this program writes");
            return;
        };
        for (place, digest) in leaf.digest.unwrap_or_default() {
            let ticket = place == "@ticket" || self.record_of(&place) == Some(RecordKind::Ticket);
            let owner = match place.strip_prefix('@') {
                Some(row) if row.contains('/') => String::new(),
                _ if ticket => leaf.ticket.clone().unwrap_or_default(),
                _ => leaf.subject.clone().unwrap_or_default(),
            };
            self.expected.insert((owner, place), digest);
        }
    }

    fn record_of(&self, field: &str) -> Option<RecordKind> {
        self.vault.fields().get(field).map(crate::model::fields::Field::record)
    }

    async fn head(&mut self, frontier: &Frontier) -> Result<(), OpenError> {
        let head = self.vault.store.head().await?;
        if head.size != frontier.size() {
            let what = format!("counts {} entries; there are {}", head.size, frontier.size());
            self.find("log head", what);
        }
        if head.root != frontier.root() || head.frontier != frontier.to_bytes() {
            self.find("log head", "does not follow from the entries");
        }
        let keyring = &self.vault.keyring;
        if let Err(error) = startup::prove_checkpoint(&head, keyring.origin(), &keyring.verifier()?) {
            self.find("log checkpoint", error.to_string().lines().next().unwrap_or_default());
        }
        Ok(())
    }

    async fn tiles(&mut self, mut expected: BTreeMap<(u8, u64), Tile>) -> Result<(), StoreError> {
        for row in self.scan(Table::Tiles).await? {
            let AnyRow::Tile(tile) = row else { continue };
            let place = format!("log tile {}/{}", tile.level, tile.index);
            match expected.remove(&(tile.level, tile.index)) {
                Some(right) if right == tile => {}
                Some(_) => self.find(place, "does not hold the hashes of its leaves"),
                None => self.find(place, "belongs to no full tile of this log"),
            }
        }
        for (level, index) in expected.into_keys() {
            self.find(format!("log tile {level}/{index}"), "is missing");
        }
        Ok(())
    }

    async fn scan(&mut self, table: Table) -> Result<Vec<AnyRow>, StoreError> {
        let mut rows = Vec::new();
        let mut after = None;
        loop {
            let page = self.vault.store.scan(table, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.cursor);
            for scanned in page {
                if let AnyRow::Unreadable(table) = scanned.row {
                    self.find(
                        format!("{table} row {}", scanned.cursor),
                        "holds something the vault never writes",
                    );
                } else {
                    rows.push(scanned.row);
                }
            }
            self.report.rows += 1;
        }
        self.report.rows = self.report.rows.saturating_sub(1) + u64::try_from(rows.len()).unwrap_or(0);
        (self.progress)(self.report.entries + self.report.rows);
        Ok(rows)
    }

    /// A row's code, and the log's digest of it if it has one.
    fn protected<R: Protected + Clone>(&mut self, row: &R, owner: &str, place: Option<String>, name: &str) {
        if self.vault.keyring.genuine(row.clone()).is_err() {
            self.find(name, "was edited: its code does not fit");
        }
        let Some(place) = place else { return };
        match self.expected.remove(&(owner.to_owned(), place)) {
            Some(digest) if digest == leaf::row_digest(row) => {}
            Some(_) => self.find(name, "is not what the log says was last written there"),
            None => self.find(name, "was never logged"),
        }
    }

    async fn tables(&mut self) -> Result<Seen, OpenError> {
        let mut seen = Seen::default();
        for table in [
            Table::Departments,
            Table::Principals,
            Table::Tokens,
            Table::Callers,
            Table::Tickets,
            Table::Approvals,
        ] {
            for row in self.scan(table).await? {
                self.deciding_row(row, &mut seen).await?;
            }
        }
        for table in [Table::Custody, Table::Index, Table::References, Table::Replays] {
            for row in self.scan(table).await? {
                self.dependent_row(row, &mut seen);
            }
        }
        for (ticket, _) in seen.steps.iter().filter(|(_, steps)| **steps > 0) {
            let no = seen.tickets.get(ticket).cloned().unwrap_or_default();
            self.find(format!("custody of ticket {no}"), "lacks a step");
        }
        Ok(seen)
    }

    async fn deciding_row(&mut self, row: AnyRow, seen: &mut Seen) -> Result<(), OpenError> {
        match row {
            AnyRow::Department(row) => {
                let place = format!("@department/{}", row.code);
                self.protected(&row, "", Some(place), &format!("department {}", row.code));
            }
            AnyRow::Principal(row) => {
                self.protected(
                    &row,
                    "",
                    Some(format!("@principal/{}", row.id)),
                    &format!("principal {}", row.id),
                );
            }
            AnyRow::Token(row) => {
                self.protected(
                    &row,
                    "",
                    Some(format!("@token/{}/{}", row.principal, row.id)),
                    &format!("token {}", row.id),
                );
            }
            AnyRow::Approval(row) => {
                self.protected(
                    &row,
                    "",
                    Some(format!("@approval/{}", row.id)),
                    &format!("approval {}", row.id),
                );
            }
            AnyRow::Caller(row) => {
                let subject = self.subject(row.id).await?;
                self.protected(&row, &subject, Some("@caller".to_owned()), &format!("caller {subject}"));
                seen.callers.insert(row.id, subject);
            }
            AnyRow::Ticket(row) => {
                let no = row.no.to_string();
                self.protected(&row, &no, Some("@ticket".to_owned()), &format!("ticket {no}"));
                seen.steps.insert(row.id, row.version);
                seen.tickets.insert(row.id, no);
            }
            _ => {}
        }
        Ok(())
    }

    fn dependent_row(&mut self, row: AnyRow, seen: &mut Seen) {
        match row {
            AnyRow::Custody(row) => {
                let name = seen.tickets.get(&row.ticket).cloned();
                if name.is_none() {
                    self.find("custody", "of a ticket that is not there");
                }
                if let Some(steps) = seen.steps.get_mut(&row.ticket) {
                    *steps = steps.saturating_sub(1);
                }
                let name = format!("custody {} of ticket {}", row.version, name.unwrap_or_default());
                self.protected(&row, "", None, &name);
            }
            AnyRow::Index(row) => {
                let name = format!("blind index of {}", owner(&seen.callers, row.caller));
                self.protected(&row, "", None, &name);
                seen.index.entry((row.caller, row.field.clone())).or_default().push(row);
            }
            AnyRow::Reference(row) => match self.vault.keyring.open_reference(&row) {
                Err(_) => self.find(format!("reference of department {}", row.department), "does not open"),
                Ok(id) => {
                    let there = match row.kind {
                        RecordKind::Caller => seen.callers.contains_key(&CallerId::from_bytes(id)),
                        RecordKind::Ticket => seen.tickets.contains_key(&TicketId::from_bytes(id)),
                    };
                    if !there {
                        self.find(
                            format!("reference of department {}", row.department),
                            "stands for nobody (orphan)",
                        );
                    }
                }
            },
            AnyRow::Replay(row) => self.protected(&row, "", None, "replay"),
            _ => {}
        }
    }

    async fn subject(&self, caller: CallerId) -> Result<String, OpenError> {
        let record = RecordId::Caller(caller);
        let keyring = &self.vault.keyring;
        let minted = refs::mint(keyring, &*self.vault.store, DepartmentCode::AUDITORS, record).await;
        Ok(minted.map_err(super::Error::from)?.reference.to_string())
    }

    async fn fields(&mut self, seen: &Seen) -> Result<(), OpenError> {
        let mut indexed = BTreeSet::new();
        for row in self.scan(Table::Fields).await? {
            let AnyRow::Field(row) = row else { continue };
            self.report.fields += 1;
            self.field(&row, seen, &mut indexed).await?;
        }
        for (caller, field) in seen.index.keys().filter(|key| !indexed.contains(*key)) {
            let place = format!("blind index of {}", owner(&seen.callers, *caller));
            self.find(place, format!("is of field {field}, which is not on file (orphan)"));
        }
        Ok(())
    }

    async fn field(
        &mut self,
        row: &FieldRow,
        seen: &Seen,
        indexed: &mut BTreeSet<(CallerId, String)>,
    ) -> Result<(), OpenError> {
        let record = match row.record {
            RecordId::Caller(id) => seen.callers.get(&id).cloned(),
            RecordId::Ticket(id) => seen.tickets.get(&id).cloned(),
        };
        let Some(record) = record else {
            self.find(
                format!("field {}", row.field),
                "belongs to a record that is not there (orphan)",
            );
            return Ok(());
        };
        let name = format!("field {} of {} {record}", row.field, row.record.kind().as_str());
        match self.expected.remove(&(record, row.field.clone())) {
            Some(digest) if digest == leaf::sha256(&row.sealed) => {}
            Some(_) => self.find(&name, "is not what the log says was last written there"),
            None => self.find(&name, "was never logged"),
        }
        let index = index_of(self.vault.fields(), &row.field);
        let Some(key) = self.vault.keys.record_key(row.record).await? else {
            self.find(&name, "has no record key");
            return Ok(());
        };
        match (self.vault.keyring.check_field(row, &key, index), row.record) {
            (Err(_), _) => self.find(&name, "does not open where it stands"),
            (Ok(Some(value)), RecordId::Caller(caller)) => {
                let key = (caller, row.field.clone());
                let right = seen
                    .index
                    .get(&key)
                    .is_some_and(|rows| matches!(&rows[..], [one] if one.value == value));
                if !right {
                    self.find(&name, "has no blind index, or another than its value gives");
                }
                indexed.insert(key);
            }
            _ => {}
        }
        Ok(())
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

    async fn orphans(&mut self, seen: &Seen) -> Result<(), OpenError> {
        let mut after = None;
        loop {
            let keys = self.vault.keys.record_keys(after, PAGE).await?;
            let Some((last, _)) = keys.last() else { return Ok(()) };
            after = Some(*last);
            for (_, key) in keys {
                let record = match key.record {
                    RecordId::Caller(id) => seen.callers.get(&id),
                    RecordId::Ticket(id) => seen.tickets.get(&id),
                };
                let name = match record {
                    Some(record) => format!("record key of {} {record}", key.record.kind().as_str()),
                    None => format!("record key of a {}", key.record.kind().as_str()),
                };
                self.report.orphan_keys += u64::from(record.is_none());
                if self.vault.keyring.check_record_key(&key).is_err() {
                    self.find(name, "does not unwrap");
                }
            }
        }
    }
}

fn index_of<'f>(fields: &'f FieldSet, name: &str) -> Option<&'f str> {
    fields
        .get(name)
        .filter(|field| field.record() == RecordKind::Caller)?
        .index()
}

fn owner(callers: &BTreeMap<CallerId, String>, caller: CallerId) -> String {
    callers.get(&caller).map_or_else(
        || "a caller that is not there".to_owned(),
        |subject| format!("caller {subject}"),
    )
}
