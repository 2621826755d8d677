//! The use cases, one file each. Every one asks, is decided on, and is in the log before it answers.

pub mod admin;
pub mod approvals;
pub mod auditing;
mod authenticate;
pub mod callers;
pub mod correct;
mod error;
mod facts;
pub mod found;
pub mod fsck;
pub mod intake;
pub mod limits;
pub mod lookup;
mod matching;
pub mod open;
mod replay;
pub mod restart;
pub mod reveal;
pub mod rules;
pub mod system;
pub mod tickets;
pub mod verify;
pub mod witnessing;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

pub use self::error::Error;
use self::limits::{Limits, Spending};
pub use self::limits::{Rates, Watching};
pub use self::replay::{Replay, Scope};
use self::witnessing::Witnessing;
use crate::audit::index::Indexer;
use crate::clock::Clock;
use crate::keyring::{Keyring, RecordKey};
use crate::log::{Change, Log, LogPosition, LogStats, Recorded};
use crate::model::ask::{Action, Ask, RequestId};
use crate::model::fields::{Field, FieldName, FieldSet, Invalid};
use crate::model::ids::{RecordId, RecordKind};
use crate::model::mark::Mark;
use crate::model::principals::Actor;
use crate::model::purposes::Purpose;
use crate::model::submitted::Submitted;
use crate::policy::facts::Facts;
use crate::policy::{Denial, Permit, Policy, Why};
use crate::store::{DataStore, KeyStore};

/// Longest page of a list.
pub const LARGEST_PAGE: u32 = 200;

/// An unlocked vault.
pub struct Vault {
    store: Arc<dyn DataStore>,
    keys: Arc<dyn KeyStore>,
    keyring: Arc<Keyring>,
    log: Log,
    policy: Policy,
    fields: FieldSet,
    clock: Arc<dyn Clock>,
    limits: Limits,
    witnessing: Witnessing,
    retention: auditing::retention::Retention,
    indexer: Indexer,
    spending: Spending,
}

/// One authenticated request.
#[derive(Clone)]
pub struct Session {
    /// Who.
    pub actor: Actor,
    /// Which request.
    pub request: RequestId,
}

/// Values that come in for declared fields, by field name.
pub type Values = BTreeMap<String, Submitted>;

/// Where an act stands in the log.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
pub struct Audit {
    /// Position from 0.
    pub index: u64,
    /// RFC 6962 leaf hash, base64.
    #[schema(value_type = String)]
    pub leaf_hash: LeafHash,
}

impl Audit {
    /// What is printed beside what was shown.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark::of(&self.leaf_hash.0)
    }
}

/// A leaf hash that shows as base64.
#[derive(Clone, Copy, Debug)]
pub struct LeafHash(crate::merkle::Hash);

impl Serialize for LeafHash {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl From<LogPosition> for Audit {
    fn from(position: LogPosition) -> Self {
        Self {
            index: position.index,
            leaf_hash: LeafHash(position.leaf_hash),
        }
    }
}

impl Vault {
    /// The declared fields.
    #[must_use]
    pub const fn fields(&self) -> &FieldSet {
        &self.fields
    }

    /// Entries and commits of the log since start.
    #[must_use]
    pub fn log_stats(&self) -> &LogStats {
        self.log.stats()
    }

    /// Returns when the log's thread has died of a fault of a store, with the fault's words.
    pub async fn log_died(&self) -> String {
        self.log.died().await
    }

    /// Whether the keys are gone.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.keyring.is_locked()
    }

    /// The date in UTC.
    fn today(&self) -> Result<jiff::civil::Date, Error> {
        Ok(jiff::tz::TimeZone::UTC.to_datetime(self.clock.now()?).date())
    }

    fn ask(&self, session: &Session, action: Action, purpose: Purpose) -> Result<Ask, Error> {
        Ok(Ask::new(
            session.actor,
            action,
            purpose,
            self.clock.now()?,
            session.request.clone(),
        ))
    }

    /// Decides, and logs a refusal before it is told.
    async fn decide(&self, ask: Ask, facts: Facts) -> Result<Permit, Error> {
        match self.policy.decide(ask, facts) {
            Ok(permit) => self.unbarred(permit).await,
            Err(denial) => Err(Error::Refused(self.log_refusal(denial).await?)),
        }
    }

    /// Logs an act that changes nothing and shows no field.
    async fn note(&self, permit: Permit) -> Result<Audit, Error> {
        Ok(self.log.record(permit, Change::default()).await?.position().into())
    }

    async fn record(&self, permit: Permit, change: Change) -> Result<Recorded, Error> {
        Ok(self.log.record(permit, change).await?)
    }

    fn field(&self, name: &str) -> Result<&Field, Error> {
        const UNKNOWN: Error = Error::Bad(
            "unknown-field",
            "a field is not declared; the document at /openapi.json and fields.toml name those that are",
        );
        self.fields.get(name).ok_or(UNKNOWN)
    }

    /// Names that came in as the declared fields of one kind of record.
    fn names(&self, record: RecordKind, names: &[String]) -> Result<Vec<FieldName>, Error> {
        let of_record = |field: &&Field| field.record() == record;
        let name = |name: &String| {
            let field = Some(self.field(name)?).filter(of_record);
            let field = field.ok_or(Error::Bad(
                "unknown-field",
                "a field belongs to the other kind of record",
            ))?;
            Ok(field.name().clone())
        };
        let names: Vec<FieldName> = names.iter().map(name).collect::<Result<_, Error>>()?;
        if names.is_empty() {
            return Err(Error::Bad("no-fields", "name at least one field"));
        }
        if names.iter().collect::<std::collections::BTreeSet<_>>().len() != names.len() {
            return Err(Error::Bad("repeated-field", "name each field once"));
        }
        Ok(names)
    }

    /// Values in normal form, in the order of declaration, or everything that is wrong with them.
    fn normalise(&self, record: RecordKind, values: &Values) -> Result<Vec<(&Field, Submitted)>, Error> {
        let today = self.today()?;
        if values
            .keys()
            .any(|name| self.fields.get(name).is_none_or(|field| field.record() != record))
        {
            return Err(Error::Bad(
                "unknown-field",
                "a field is not declared for this kind of record; see fields.toml",
            ));
        }
        let mut good = Vec::with_capacity(values.len());
        let mut bad: Vec<Invalid> = Vec::new();
        for field in self.fields.of(record) {
            match values
                .get(field.name().as_str())
                .map(|value| field.normalise(value, today))
            {
                Some(Ok(value)) => good.push((field, value)),
                Some(Err(invalid)) => bad.push(invalid),
                None => {}
            }
        }
        if bad.is_empty() {
            Ok(good)
        } else {
            Err(Error::Invalid(bad))
        }
    }

    /// The key of a record that exists, for sealing.
    async fn sealing_key(&self, record: RecordId) -> Result<RecordKey, Error> {
        let wrapped = self
            .keys
            .record_key(record)
            .await?
            .ok_or(crate::keyring::KeyError::NoRecordKey)?;
        Ok(self.keyring.record_key(record, &wrapped)?)
    }

    /// Withdraws a permit for a reason outside the policy; the refusal is in the log like any other.
    async fn refuse(&self, permit: Permit, why: Why) -> Error {
        match self.log_refusal(permit.withdraw(why)).await {
            Ok(refusal) => Error::Refused(refusal),
            Err(fault) => fault.into(),
        }
    }

    /// As `refuse`, with words of its own for the asker.
    async fn refuse_because(&self, denial: Denial, words: &'static str) -> Error {
        match self.log_refusal(denial).await {
            Ok(refusal) => Error::RefusedBecause(refusal, words),
            Err(fault) => fault.into(),
        }
    }
}
