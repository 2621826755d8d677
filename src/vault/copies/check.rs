//! A check of everything while the vault serves: what `fsck` does, on copies of both stores of one moment.
//!
//! Rows change while they are looked at, so that the stores themselves would show differences where there are none. The copies stand
//! still. Nobody who works waits for the check, and it goes through the copies as slowly as it is told to.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::runtime;

use crate::log::Change;
use crate::log::leaf::milliseconds;
use crate::model::ask::Action;
use crate::model::backups::{Part, WorkState};
use crate::model::problems::Thing;
use crate::model::purposes::Purpose;
use crate::store::StoreError;
use crate::store::sqlite::{SqliteData, SqliteKeys};
use crate::vault::copies::copying::{Snapshots, copied, in_background};
use crate::vault::core::{Checking, Report, Work};
use crate::vault::life::fsck;
use crate::vault::life::open::{OpenError, Unlocked};
use crate::vault::{Audit, Error, Session, Vault};

/// How soon it is noticed that nobody waits any more.
const A_WHILE: Duration = Duration::from_millis(100);

/// How a check is to be made.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckRate {
    /// Rows a second, at most. Absent: as many as can be.
    #[schema(value_type = Option<u32>, minimum = 1)]
    pub rate: Option<NonZeroU32>,
}

/// A check that goes on, or the newest one.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CheckLine {
    /// Whether it is done.
    pub state: WorkState,
    /// When it was begun, RFC 3339.
    pub started_at: String,
    /// Rows and entries looked at; while the stores are being copied, 0.
    pub seen: u64,
    /// Rows and entries there are; 0 while the stores are being copied.
    pub total: u64,
    /// What was found, once it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
    /// The log entry of this act.
    pub audit: Audit,
}

impl Vault {
    /// Begins a check of everything, in the background. One that goes on is not disturbed, and is what is answered.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Store`] without room for the copies.
    pub async fn start_check(&self, session: &Session, body: &CheckRate) -> Result<CheckLine, Error> {
        let ask = self.ask(session, Action::CheckVault, Purpose::Administer)?;
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        if let Some(check) = self.copies.running_check() {
            let audit = self.note(permit).await?;
            return line(&check, audit);
        }
        let started_at = milliseconds(permit.ask().at());
        let (between, moment) = self.moment(&[Part::Data, Part::Keys])?;
        let rate = body.rate.map(|rate| ("rate".to_owned(), rate.to_string()));
        let change = Change {
            link: rate.into_iter().collect(),
            between: Some(between),
            ..Change::default()
        };
        let audit = self.record(permit, change).await?.position().into();
        let snapshots = moment.begun().await?;
        let check = Arc::new(Checking {
            work: Work::default(),
            started_at,
        });
        self.copies.put_check(Arc::clone(&check));
        let (vault, rate) = (Unlocked::of_copies(self), body.rate);
        let work = move |check: &Arc<Checking>| looked_at(snapshots, check, vault, rate);
        in_background("check", Arc::clone(&check), |check| &check.work, work)?;
        line(&check, audit)
    }

    /// How far the newest check has come, and what it has found.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::NotFound`] where there was none since the vault was unlocked; why it came to nothing.
    pub async fn last_check(&self, session: &Session) -> Result<CheckLine, Error> {
        let ask = self.ask(session, Action::CheckVault, Purpose::Administer)?;
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let check = self.copies.check().ok_or(Error::NotFound(Thing::Check))?;
        let audit = self.note(permit).await?;
        line(&check, audit)
    }
}

fn line(check: &Checking, audit: Audit) -> Result<CheckLine, Error> {
    let report = check.work.result()?;
    let (seen, total) = check.work.reached();
    Ok(CheckLine {
        state: match report {
            Some(_) => WorkState::Done,
            None => WorkState::Running,
        },
        started_at: check.started_at.clone(),
        seen,
        total,
        report: report.map(|report| (*report).clone()),
        audit,
    })
}

/// Copies the stores and checks the copies; nothing when nobody waits for it any more.
fn looked_at(
    snapshots: Snapshots,
    check: &Checking,
    vault: impl FnOnce(SqliteData, SqliteKeys) -> Unlocked,
    rate: Option<NonZeroU32>,
) -> Result<Option<Report>, Error> {
    let Some(copies) = copied(snapshots, &|_, _| check.work.reach(0, 0))? else {
        return Ok(None);
    };
    let total = copies.values().flat_map(|copy| copy.rows.values()).sum();
    if check.work.reach(0, total).is_break() {
        return Ok(None);
    }
    let (Some(data), Some(keys)) = (copies.get(&Part::Data), copies.get(&Part::Keys)) else {
        return Ok(None);
    };
    let vault = vault(SqliteData::open(data.file.path())?, SqliteKeys::open(keys.file.path())?);
    let begun = Instant::now();
    let progress = |seen: u64| {
        rest(seen, rate, begun, &check.work);
        check.work.reach(seen, seen.max(total))
    };
    let runtime = runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|fault| StoreError::Database(format!("no runtime for a check: {fault}")))?;
    let report = runtime.block_on(fsck::checked(&vault, None, &progress));
    if check.work.is_ended() {
        return Ok(None);
    }
    report.map(Some).map_err(inside)
}

/// Waits until so many rows are due at this rate.
fn rest(seen: u64, rate: Option<NonZeroU32>, begun: Instant, work: &Work<Report>) {
    let Some(rate) = rate else { return };
    let due = Duration::from_millis(seen.saturating_mul(1_000) / u64::from(rate.get()));
    while let Some(left) = due.checked_sub(begun.elapsed()).filter(|_| !work.is_ended()) {
        thread::sleep(left.min(A_WHILE));
    }
}

/// As a fault of an open vault.
fn inside(fault: OpenError) -> Error {
    match fault {
        OpenError::Store(fault) => fault.into(),
        OpenError::Key(fault) => fault.into(),
        OpenError::Vault(fault) => fault,
        other => StoreError::Database(other.to_string()).into(),
    }
}
