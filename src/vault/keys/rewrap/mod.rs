//! What older versions of keys made moves to the newest, step by step, while everybody works: record keys, codes of rows, entries of
//! blind indexes, and after a change of suite the fields themselves ([0037](../../../../docs/decisions/0037-values-move-to-the-newest-key.md)).
//!
//! How far each role has come stands in the data store ([`RewrapRow`]) and changes in the transaction of the step. A crash leaves
//! the state before a step or after it; whoever opens the vault next goes on from there. Each step moves what is still as it was read
//! and nothing else, so that a step taken twice does no harm.

mod codes;
mod fields;
mod index;
mod left;
mod lines;
mod records;

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use self::fields::FIELDS;
pub(in crate::vault::keys) use self::left::of_fields;
pub use self::lines::RewrapLine;
use crate::causes::with_causes;
use crate::cells;
use crate::keyring::KeyError;
use crate::log::leaf::REWRAPPED;
use crate::log::{Change, CommitError, Unasked};
use crate::model::ask::Action;
use crate::model::key_roles::KeyRole;
use crate::model::problems;
use crate::model::purposes::Purpose;
use crate::model::reference::DepartmentCode;
use crate::policy::Permit;
use crate::store::Write;
use crate::store::rows::rewrap::OF_ROLE;
use crate::store::rows::{Cell, Genuine, RewrapRow};
use crate::vault::people::approvals::KEY;
use crate::vault::{Audit, Error, Session, Vault};

/// The roles whose keys others are made with, in the order in which they are worked on. References stay as they are; of them it is
/// counted what there is.
const ROLES: [KeyRole; 4] = [KeyRole::Kek, KeyRole::Row, KeyRole::Index, KeyRole::Reference];
/// How often a start is tried again that a step of the same rewrap, by another process, was faster than.
const MOST_TRIES: u32 = 5;
/// The log is busy: others go first.
const A_WHILE: Duration = Duration::from_millis(200);

/// How long nothing is tried after a fault of a store or of the keys.
const AFTER_A_FAULT: Duration = Duration::from_secs(10);

/// What is to move to the newest keys.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rewrap {
    /// Only what was made with this key. Absent: with any.
    pub role: Option<KeyRole>,
    /// Rows a second, at most. Absent: as many as can be.
    #[schema(value_type = Option<u32>, minimum = 1)]
    pub rate: Option<NonZeroU32>,
}

/// Rewraps that were started.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Rewrapping {
    /// One for each role.
    pub rewraps: Vec<RewrapLine>,
    /// The log entry of this act.
    pub audit: Audit,
}

/// What a step was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is nothing to do.
    Idle,
    /// Something was done. The next step is due after so long.
    Taken(Duration),
}

/// What a step changes besides the state.
enum Stepped {
    /// Nothing that the log says anything about.
    Quietly(Change),
    /// Values were opened, as permitted.
    Opening(Box<Permit>, Change),
    /// Everything was looked at.
    Over,
}

impl Vault {
    /// Starts to move what older versions of keys made to the newest, in the background. One that is under way goes on, in this asker's
    /// name and at this rate.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Bad`] for a key that nothing is under.
    pub async fn start_rewrap(&self, session: &Session, body: &Rewrap) -> Result<Rewrapping, Error> {
        // Whoever may not is told so at once. Only a start waits for the step that is being taken, and is decided on again after it.
        drop(self.may_rewrap(session).await?);
        let _turn = self.rewraps.turn.write().await;
        for _ in 1..MOST_TRIES {
            match self.start_rewrap_once(session, body).await {
                Err(Error::Stale | Error::Log(CommitError::Duplicate)) => {}
                done => return done,
            }
        }
        self.start_rewrap_once(session, body).await
    }

    async fn start_rewrap_once(&self, session: &Session, body: &Rewrap) -> Result<Rewrapping, Error> {
        let permit = self.may_rewrap(session).await?;
        if body.role == Some(KeyRole::Log) {
            return Err(Error::Bad(problems::NOTHING_TO_REWRAP));
        }
        let roles = ROLES
            .into_iter()
            .filter(|&role| body.role.is_none_or(|only| only == role));
        let mut change = Change::default();
        let mut started = Vec::new();
        for role in roles {
            let row = RewrapRow {
                started_by: session.actor.id(),
                token: session.actor.token(),
                started_at: permit.ask().at(),
                rate: body.rate.map(NonZeroU32::get),
                ..self.begun(role, &permit).await?
            };
            change.writes.push(Write::put(self.keyring.protect(row.clone())?));
            started.push(row);
        }
        let names: Vec<&str> = started.iter().map(|row| row.role.as_str()).collect();
        change.link.insert(KEY.to_owned(), names.join(","));
        change
            .link
            .extend(body.rate.map(|rate| ("rate".to_owned(), rate.to_string())));
        let audit = self.record(permit, change).await?.position().into();
        started.iter().for_each(|row| self.rewraps.start(row.role));
        let rewraps = started.iter().map(|row| self.rewrap_line(row)).collect();
        Ok(Rewrapping { rewraps, audit })
    }

    async fn may_rewrap(&self, session: &Session) -> Result<Permit, Error> {
        let ask = self.ask(session, Action::RewrapKeys, Purpose::Administer)?;
        let facts = self.facts(&ask).await?;
        self.decide(ask, facts).await
    }

    /// The one that is under way, or a new one.
    async fn begun(&self, role: KeyRole, permit: &Permit) -> Result<RewrapRow, Error> {
        let before = self.rewrap_row(role).await?;
        let version = before.as_ref().map_or(1, |row| row.version + 1);
        if let Some(row) = before.filter(|row| row.ended_at.is_none()) {
            return Ok(RewrapRow {
                version,
                ..row.into_row()
            });
        }
        Ok(RewrapRow {
            role,
            target: self.keyring.active(role)?,
            started_by: permit.ask().who().id(),
            token: permit.ask().who().token(),
            started_at: permit.ask().at(),
            rate: None,
            place: String::new(),
            position: Vec::new(),
            total: 0,
            seen: 0,
            moved: 0,
            broken: 0,
            remains: std::collections::BTreeMap::new(),
            ended_at: None,
            version,
        })
    }

    pub(super) async fn rewrap_row(&self, role: KeyRole) -> Result<Option<Genuine<RewrapRow>>, Error> {
        let row = self.store.one(&OF_ROLE, &cells![role]).await?;
        Ok(row.map(|row| self.keyring.genuine(row)).transpose()?)
    }

    /// Rows looked at, and rows there are to look at, of each rewrap that this process has worked on.
    #[must_use]
    pub fn rewrap_progress(&self) -> Vec<(KeyRole, u64, u64)> {
        self.rewraps.progress()
    }

    /// Takes the steps of each rewrap that is under way or is started, and lets others work in between.
    pub async fn keep_rewrapping(&self) {
        loop {
            match self.rewrap_step().await {
                Ok(Step::Taken(Duration::ZERO)) => tokio::task::yield_now().await,
                Ok(Step::Taken(wait)) => self.rest(wait).await,
                // Where the keys are gone, there is nothing to do either.
                Ok(Step::Idle) | Err(Error::Key(KeyError::Locked)) => self.rewraps.wanted().await,
                Err(error) => {
                    tracing::warn!(
                        error = with_causes(&error),
                        "a step of a rewrap was not taken: it is tried again"
                    );
                    self.rest(AFTER_A_FAULT).await;
                }
            }
        }
    }

    /// Waits so long, or until somebody starts one: perhaps at another rate.
    async fn rest(&self, wait: Duration) {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = self.rewraps.wanted() => {}
        }
    }

    /// Takes one step of a rewrap that is under way, if there is one.
    ///
    /// # Errors
    /// Whatever a store, the log or the keys report: the step was not taken, and can be taken again.
    pub async fn rewrap_step(&self) -> Result<Step, Error> {
        let _turn = self.rewraps.turn.read().await;
        for role in ROLES {
            let row = self.rewrap_row(role).await?;
            let under_way = row.filter(|row| row.ended_at.is_none() && !self.rewraps.is_halted(role));
            let Some(row) = under_way else { continue };
            let (started_by, token) = (row.started_by, row.token);
            match self.step_of(row.into_row()).await {
                // Somebody has started it again meanwhile, or a value was changed.
                Err(Error::Stale) => return Ok(Step::Taken(Duration::ZERO)),
                Err(Error::Log(CommitError::Unavailable)) => {
                    tracing::warn!(%role, "the log did not take a step of a rewrap in time: it is tried again");
                    return Ok(Step::Taken(A_WHILE));
                }
                Err(error @ (Error::Unauthenticated | Error::Refused(_))) => {
                    let (principal, token) = (started_by.to_string(), token.to_string());
                    tracing::warn!(%role, principal, token, %error, "whoever started the rewrap may not any more: it is halted");
                    self.rewraps.halt(role);
                }
                done => return done,
            }
        }
        Ok(Step::Idle)
    }

    async fn step_of(&self, row: RewrapRow) -> Result<Step, Error> {
        let (begun, before) = (Instant::now(), row.seen);
        let mut next = RewrapRow {
            version: row.version + 1,
            ..row
        };
        let newest = self.keyring.active(next.role)?;
        let stepped = if next.place.is_empty() || next.target != newest {
            next.target = newest;
            self.begin_pass(&mut next).await?;
            Stepped::Quietly(Change::default())
        } else {
            match next.role {
                KeyRole::Kek if next.place == FIELDS => self.step_of_fields(&mut next).await?,
                KeyRole::Kek => self.step_of_records(&mut next).await?,
                KeyRole::Row => self.step_of_codes(&mut next).await?,
                KeyRole::Index => self.step_of_index(&mut next).await?,
                KeyRole::Reference | KeyRole::Log => Stepped::Over,
            }
        };
        let (role, seen, total, rate) = (next.role, next.seen, next.total, next.rate);
        match stepped {
            Stepped::Over => self.end_pass(next).await?,
            Stepped::Quietly(mut change) => {
                change.writes.push(Write::put(self.keyring.protect(next)?));
                self.log.keep(change).await?;
            }
            Stepped::Opening(permit, mut change) => {
                change.writes.push(Write::put(self.keyring.protect(next)?));
                self.record(*permit, change).await?;
            }
        }
        self.rewraps.reach(role, seen, total);
        Ok(Step::Taken(due(seen.saturating_sub(before), rate, begun.elapsed())))
    }

    /// At the beginning of everything there is to look at.
    async fn begin_pass(&self, row: &mut RewrapRow) -> Result<(), Error> {
        row.place = first_place(row.role).to_owned();
        row.position = Vec::new();
        (row.seen, row.broken) = (0, 0);
        row.total = self.to_look_at(row.role).await?;
        Ok(())
    }

    /// Everything was looked at. What requests under way have written with an older version meanwhile is moved too; then it is counted
    /// what is left, and it is done.
    async fn end_pass(&self, mut row: RewrapRow) -> Result<(), Error> {
        let left = self.count_left(row.role).await?;
        if left.movable > row.broken && self.rewraps.may_again(row.role) {
            row.place = String::new();
            let change = Change {
                writes: vec![Write::put(self.keyring.protect(row)?)],
                ..Change::default()
            };
            return Ok(self.log.keep(change).await?);
        }
        let at = self.clock.now()?;
        row.ended_at = Some(at);
        row.remains = left.by_version;
        let sum: u64 = row.remains.values().filter_map(|count| count.parse::<u64>().ok()).sum();
        let link = [
            (KEY, row.role.to_string()),
            ("version", row.target.to_string()),
            ("moved", row.moved.to_string()),
            ("left", sum.to_string()),
        ];
        let change = Change {
            link: link.map(|(name, value)| (name.to_owned(), value)).into(),
            writes: vec![Write::put(self.keyring.protect(row.clone())?)],
            ..Change::default()
        };
        let rules = self.rules();
        let act = Unasked {
            who: Some((row.started_by, row.token)),
            ..Unasked::new(REWRAPPED, DepartmentCode::AUDITORS, at, rules.policy.hash())
        };
        let index = self.log.unasked_patiently(&act, change).await?.index;
        tracing::info!(role = %row.role, version = row.target, moved = row.moved, left = sum, index, "rewrapped");
        Ok(())
    }
}

/// The name of the first table that a pass looks at.
fn first_place(role: KeyRole) -> &'static str {
    match role {
        KeyRole::Row => codes::tables().next().map_or("", |table| table.name),
        KeyRole::Index => "caller",
        KeyRole::Kek => "record_key",
        KeyRole::Reference | KeyRole::Log => "reference",
    }
}

/// When the next step is due after one that has looked at so many rows in so long.
fn due(rows: u64, rate: Option<u32>, took: Duration) -> Duration {
    let rate = rate.map_or(f64::INFINITY, f64::from);
    #[expect(clippy::cast_precision_loss, reason = "a step looks at some hundred rows")]
    let wanted = Duration::try_from_secs_f64(rows as f64 / rate).unwrap_or_default();
    wanted.saturating_sub(took)
}

/// Behind which key a step goes on; nothing at the beginning.
fn position(row: &RewrapRow) -> Result<Option<Vec<Cell>>, Error> {
    if row.position.is_empty() {
        return Ok(None);
    }
    let key = Cell::list_from_bytes(&row.position).ok_or(KeyError::Broken)?;
    Ok(Some(key))
}
