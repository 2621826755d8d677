//! The core: what every use case stands on. It asks, decides, records and refuses; it knows no use case.

mod answer;
mod asked;
mod authenticate;
mod behalf;
mod client;
mod copies;
mod custody;
mod error;
mod facts;
pub(in crate::vault) mod limits;
mod lists;
mod opening;
mod pending;
mod records;
pub(in crate::vault) mod replay;
mod report;
mod retention;
mod rewraps;
mod rules;
mod ticket_names;
mod token_days;
mod values;
pub(in crate::vault) mod witnessing;

use std::sync::Arc;

use arc_swap::ArcSwap;

pub use self::answer::{Audit, LeafHash};
pub use self::asked::{Asked, Pending};
pub(in crate::vault) use self::authenticate::{new_token, random_text, text_hash};
pub use self::client::Unnamed;
pub(in crate::vault) use self::copies::{Backup, Checking, CopiedPart, Copies, Parts, Work, WorkFault};
pub use self::error::Error;
pub(in crate::vault) use self::facts::{caller_of, ticket_of, ticket_of_facts};
use self::limits::{RateLimiter, Spending, UnderWay};
pub use self::limits::{Rates, Stranger, Watching};
pub(in crate::vault) use self::lists::ListsInForce;
pub use self::opening::{Opening, Places, Running};
pub(in crate::vault) use self::pending::PendingRecovery;
pub(in crate::vault) use self::records::MOST_MERGED;
pub use self::records::Superseded;
pub use self::replay::{Replay, Scope};
pub use self::report::{Finding, OrphanKey, Report, TimeBack};
pub use self::retention::Retention;
pub(in crate::vault) use self::rewraps::Rewraps;
pub use self::rules::Rules;
pub(in crate::vault) use self::token_days::TokenDays;
pub(in crate::vault) use self::values::Sorted;
pub use self::values::Values;
pub use self::witnessing::Witnessing;
use crate::audit::indexer::Indexer;
use crate::clock::Clock;
use crate::keyring::{KeyError, Keyring, RecordKey};
pub use crate::log::LogStopped;
use crate::log::{Change, Log, LogStats, Receipt, Recorded};
use crate::model::ask::{Action, Ask, RequestId};
use crate::model::client::SealedAddress;
use crate::model::ids::RecordId;
use crate::model::principals::Actor;
use crate::model::problems::{self, ProblemKind};
use crate::model::purposes::Purpose;
use crate::policy::facts::Facts;
use crate::policy::{Denial, Permit, Why};
use crate::randomness::Randomness;
use crate::store::rows::WrappedKey;
use crate::store::{DataStore, KeyStore};

/// Longest page of a list.
pub const LARGEST_PAGE: u32 = 200;

/// An unlocked vault. Every field but those that say otherwise is set when it is opened and never changed.
pub struct Vault {
    /// The data store, read by every task. Written by the log's thread alone.
    pub(in crate::vault) store: Arc<dyn DataStore>,
    /// The key store. Written by the log's thread (record keys, the fence) and by the round of the witnesses.
    pub(in crate::vault) keys: Arc<dyn KeyStore>,
    /// The keys. Wiped once, when the vault is locked or stops, under the lock inside.
    pub(in crate::vault) keyring: Arc<Keyring>,
    /// The way to the log's thread, which has state of its own; several nodes will share the log through the store.
    pub(in crate::vault) log: Log,
    /// The rules in force. A request takes its fields from those it began with, and is decided by those in force then; reading them
    /// again replaces them whole (`life/rules.rs`). Each
    /// node reads its own files. Answers of the policy are remembered under a lock inside; losing them costs time only.
    pub(in crate::vault) rules: ArcSwap<Rules>,
    /// The city's lists. Written when they are read again, under a lock inside; each node reads its own file.
    pub(in crate::vault) lists: ListsInForce,
    /// The time.
    pub(in crate::vault) clock: Arc<dyn Clock>,
    /// Random bytes, for ids, tokens and ticket numbers. The keyring and the log hold the same.
    pub(in crate::vault) randomness: Arc<dyn Randomness>,
    /// Rates of requests and refusals, written by every request under a lock inside. They protect this process and are not
    /// shared (decision 0019).
    pub(in crate::vault) rate_limiter: RateLimiter,
    /// The same for requests without a token, all together.
    pub(in crate::vault) strangers: RateLimiter,
    /// What witnesses have said, written by their round under a lock inside. What bars fields stands in the key store as well.
    pub(in crate::vault) witnessing: Witnessing,
    /// Fills the index of the log, one task at a time under a lock inside. The index is this node's own.
    pub(in crate::vault) indexer: Indexer,
    /// Shares of counts that this process has taken ahead, under locks inside. The counts stand in the data store, for all nodes
    /// (decision 0020).
    pub(in crate::vault) spending: Spending,
    /// Which tokens' days stand in the data store already, as far as this process knows, under a lock inside. Losing it costs a read
    /// a token.
    pub(in crate::vault) token_days: TokenDays,
    /// From when on a recovery may be finished: as the data store had it when it was opened, until it is stopped.
    pub(in crate::vault) recovery: PendingRecovery,
    /// How this process opened it, and would open it again.
    pub(in crate::vault) opening: Opening,
    /// Which rewraps this process works on, under locks inside. How far they have come stands in the data store, for all nodes.
    pub(in crate::vault) rewraps: Rewraps,
    /// Backups and checks that this process has begun, under locks inside. Losing them loses nothing that was acknowledged.
    pub(in crate::vault) copies: Copies,
    /// Wakes the task that erases who is past a period. How far its run has come stands in the data store, for all nodes.
    pub(in crate::vault) retention_wanted: tokio::sync::Notify,
}

/// One authenticated request.
#[derive(Clone)]
pub struct Session {
    /// Who.
    pub actor: Actor,
    /// Whether they may act on behalf of the persons of their department.
    pub(in crate::vault) acts_for: bool,
    /// Which request.
    pub request: RequestId,
    /// Where it came from.
    pub(in crate::vault) client: Option<SealedAddress>,
    /// The rules as they were when it came.
    pub(in crate::vault) rules: Arc<Rules>,
    /// Counted among its sender's requests until the last copy is dropped, and among those of the clerk for whom it was sent; nothing
    /// where it did not come over HTTP.
    pub(in crate::vault) under_way: Vec<Arc<UnderWay>>,
}

impl Vault {
    /// The rules in force.
    #[must_use]
    pub fn rules(&self) -> Arc<Rules> {
        self.rules.load_full()
    }

    /// Working hours, and local time.
    #[must_use]
    pub const fn hours(&self) -> crate::audit::watch::hours::Hours {
        self.spending.watching.hours
    }

    /// Entries and commits of the log since start.
    #[must_use]
    pub fn log_stats(&self) -> &LogStats {
        self.log.stats()
    }

    /// Statements that the stores have run since they were opened: `data` and `keys`.
    #[must_use]
    pub fn statements(&self) -> [(&'static str, u64); 2] {
        [("data", self.store.statements()), ("keys", self.keys.statements())]
    }

    /// Returns when the log's thread has ended, and why.
    pub async fn log_stopped(&self) -> LogStopped {
        self.log.stopped().await
    }

    /// Whether the keys are gone.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.keyring.is_locked()
    }

    /// Whether the keys are there yet.
    ///
    /// # Errors
    /// [`Error::Key`] when they are not.
    pub fn is_open(&self) -> Result<(), Error> {
        if self.is_locked() {
            return Err(KeyError::Locked.into());
        }
        Ok(())
    }

    /// The date in UTC.
    pub(in crate::vault) fn today(&self) -> Result<jiff::civil::Date, Error> {
        Ok(jiff::tz::TimeZone::UTC.to_datetime(self.clock.now()?).date())
    }

    pub(in crate::vault) fn ask(&self, session: &Session, action: Action, purpose: Purpose) -> Result<Ask, Error> {
        Ok(Ask::new(
            session.actor,
            action,
            purpose,
            self.clock.now()?,
            session.request.clone(),
        )
        .from_client(session.client.clone()))
    }

    /// Decides, and logs a refusal before it is told.
    pub(in crate::vault) async fn decide(&self, ask: Ask, facts: Facts) -> Result<Permit, Error> {
        match self.rules.load().policy.decide(ask, facts) {
            Ok(permit) => self.unbarred(permit).await,
            Err(denial) => Err(Error::Refused(self.log_refusal(denial).await?)),
        }
    }

    /// Logs an act that changes nothing and shows no field.
    pub(in crate::vault) async fn note(&self, permit: Permit) -> Result<Audit, Error> {
        Ok(self.record(permit, Change::default()).await?.position().into())
    }

    /// Logs an act with what it changes.
    pub(in crate::vault) async fn record(&self, permit: Permit, mut change: Change) -> Result<Recorded, Error> {
        let used = self.first_use(permit.ask()).await?;
        change.writes.extend(used.writes());
        let recorded = self.log.record(permit, change).await?;
        self.token_days.note(used);
        Ok(recorded)
    }

    /// Logs a read, before anything is shown, with references that are given out for the first time.
    pub(in crate::vault) async fn commit(&self, permit: Permit, mut beside: Change) -> Result<Receipt, Error> {
        let used = self.first_use(permit.ask()).await?;
        beside.writes.extend(used.writes());
        let receipt = self.log.commit(permit, beside).await?;
        self.token_days.note(used);
        Ok(receipt)
    }

    /// The key of a record that exists, as the key store has it.
    ///
    /// # Errors
    /// [`problems::ERASED`] where it was destroyed, as an older copy of the data store does not know; [`KeyError::NoRecordKey`].
    pub(in crate::vault) async fn wrapped_key(&self, record: RecordId) -> Result<WrappedKey, Error> {
        match self.keys.record_key(record).await? {
            Some(key) => Ok(key),
            None if self.keys.is_erased(record).await? => Err(Error::Bad(problems::ERASED)),
            None => Err(KeyError::NoRecordKey.into()),
        }
    }

    /// The key of a record that exists, for sealing.
    pub(in crate::vault) async fn sealing_key(&self, record: RecordId) -> Result<RecordKey, Error> {
        let wrapped = self.wrapped_key(record).await?;
        Ok(self.keyring.record_key(record, &wrapped)?)
    }

    /// Withdraws a permit for a reason outside the policy; the refusal is in the log like any other.
    pub(in crate::vault) async fn refuse(&self, permit: Permit, why: Why) -> Error {
        match self.log_refusal(permit.withdraw(why)).await {
            Ok(refusal) => Error::Refused(refusal),
            Err(fault) => fault,
        }
    }

    /// As `refuse_because`, with what stands in a place of the problem's words.
    pub(in crate::vault) async fn refuse_naming(
        &self,
        denial: Denial,
        told: &'static ProblemKind,
        place: (&'static str, String),
    ) -> Error {
        match self.log_refusal(denial).await {
            Ok(refusal) => Error::RefusedNaming(refusal, told, place),
            Err(fault) => fault,
        }
    }

    /// As `refuse`; the asker is told this problem.
    pub(in crate::vault) async fn refuse_because(&self, denial: Denial, told: &'static ProblemKind) -> Error {
        match self.log_refusal(denial).await {
            Ok(refusal) => Error::RefusedBecause(refusal, told),
            Err(fault) => fault,
        }
    }
}
