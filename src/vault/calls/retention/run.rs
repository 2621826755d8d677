//! The run of the day.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::causes::with_causes;
use crate::cells;
use crate::keyring::KeyError;
use crate::log::leaf::{ERASE_DUE, RETENTION_BEGUN, RETENTION_ENDED};
use crate::log::{Change, CommitError, Unasked};
use crate::model::ask::Action;
use crate::model::reference::DepartmentCode;
use crate::store::rows::{CallerRow, Genuine, RetentionRow, Row, restriction};
use crate::store::{Guard, StoreError, Write};
use crate::vault::calls::erase::{Departments, Whole};
use crate::vault::calls::retention::due::{Standing, Walk, is_of_a_row};
use crate::vault::core::Rules;
use crate::vault::{Error, Vault};

/// From the beginning of one run to that of the next.
const EVERY: SignedDuration = SignedDuration::from_hours(24);
/// How often it is looked whether a run is due, and whether what kept it is over.
const LOOK: Duration = Duration::from_secs(60);
/// How long nothing is tried after a fault.
const AFTER_A_FAULT: Duration = Duration::from_secs(10);
/// How long nothing is tried after somebody has changed what a step was about.
const AFTER_A_CHANGE: Duration = Duration::from_secs(1);
/// What a step was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetentionStep {
    /// There is nothing to do: no periods are in force, or the run of the day is over.
    Idle,
    /// Something keeps it: the file was changed, more are due than may be, witnesses are silent.
    Kept,
    /// A run began or ended.
    Turned,
    /// A caller was erased.
    Erased,
}

/// What a process remembers of the run of the day from one step to the next. Without it the next step begins at the first who is due.
#[derive(Default)]
pub struct RetentionRun {
    walk: Option<Walk>,
}

/// Whom a run leaves.
#[derive(Clone, Copy, Default)]
struct Left {
    faulty: u64,
    put_off: u64,
    /// Everybody, by the row of a department.
    all: bool,
}

impl Vault {
    /// Whether two persons have put these periods in force, under the log in force.
    pub(super) fn is_in_force(&self, row: &RetentionRow, rules: &Rules) -> bool {
        row.periods == rules.periods_sha256 && row.log == self.log_number()
    }

    /// Erases who is due, a run a day, for as long as it is polled.
    pub async fn keep_retention(&self) {
        let mut run = RetentionRun::default();
        loop {
            let wait = match self.retention_step(&mut run).await {
                Ok(RetentionStep::Turned) => Duration::ZERO,
                Ok(RetentionStep::Erased) => Duration::from_mins(1) / self.rules().periods.rate().max(1),
                Ok(RetentionStep::Idle | RetentionStep::Kept) | Err(Error::Key(KeyError::Locked)) => LOOK,
                // Somebody has changed something meanwhile.
                Err(Error::Stale) => AFTER_A_CHANGE,
                Err(error) => {
                    tracing::warn!(
                        error = with_causes(&error),
                        "a caller who is due was not erased: it is tried again"
                    );
                    AFTER_A_FAULT
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.retention_wanted.notified() => run = RetentionRun::default(),
            }
        }
    }

    /// Takes one step, with nothing remembered.
    ///
    /// # Errors
    /// As [`Self::retention_step`].
    pub async fn one_retention_step(&self) -> Result<RetentionStep, Error> {
        self.retention_step(&mut RetentionRun::default()).await
    }

    /// Takes one step.
    ///
    /// # Errors
    /// Whatever a store, the log or the keys report: the step was not taken, and can be taken again.
    pub async fn retention_step(&self, RetentionRun { walk }: &mut RetentionRun) -> Result<RetentionStep, Error> {
        let Some(row) = self.retention_row().await? else {
            return Ok(RetentionStep::Idle);
        };
        let now = self.clock.now()?;
        // One and the same rules for the whole step: they may be read anew meanwhile.
        let rules = self.rules();
        if !self.is_in_force(&row, &rules) || row.too_many || self.witnessing.bar(Action::Erase, now).is_some() {
            return Ok(RetentionStep::Kept);
        }
        match (row.run_at, row.ended_at) {
            // It began by a clock that was ahead.
            (Some(run_at), None) if run_at > now => self.end_run(row, now, Left::default()).await,
            (Some(run_at), None) => self.go_on(row, run_at, walk, &rules).await,
            (Some(run_at), Some(_)) if now.duration_since(run_at) < EVERY => Ok(RetentionStep::Idle),
            _ => {
                *walk = None;
                self.begin_run(row, now, &rules).await
            }
        }
    }

    /// Counts who is due before anybody is erased.
    async fn begin_run(
        &self,
        row: Genuine<RetentionRow>,
        now: Timestamp,
        rules: &Rules,
    ) -> Result<RetentionStep, Error> {
        let allowed = self.allowed_in_a_run(row.most, rules).await?;
        let (due, faulty) = self.count_due(now, allowed, rules).await?;
        let too_many = due > allowed;
        if too_many {
            tracing::warn!(
                allowed,
                "more callers are due to be erased than a run may erase: nobody is erased"
            );
        }
        let all_kept = due > 0 && !too_many && self.departments_to_unrefer().await?.is_none();
        let next = RetentionRow {
            run_at: Some(now),
            ended_at: (due == 0 || too_many || all_kept).then_some(now),
            allowed,
            erased: 0,
            faulty,
            put_off: 0,
            all_kept,
            too_many,
            version: row.version + 1,
            ..row.into_row()
        };
        let told = [("due", due), ("allowed", allowed), ("faulty", faulty)];
        self.turn(RETENTION_BEGUN, next, now, &told).await?;
        Ok(if too_many || all_kept {
            RetentionStep::Kept
        } else {
            RetentionStep::Turned
        })
    }

    pub(super) async fn allowed_in_a_run(&self, most: Option<u32>, rules: &Rules) -> Result<u64, Error> {
        match most {
            Some(most) => Ok(most.into()),
            None => Ok(rules.periods.allowed(self.store.count(CallerRow::table()).await?)),
        }
    }

    /// How many are due, counted to one more than may be; and how many before them are kept by a fault.
    async fn count_due(&self, now: Timestamp, allowed: u64, rules: &Rules) -> Result<(u64, u64), Error> {
        let (mut walk, mut due) = (Walk::at(now), 0);
        while due <= allowed
            && let Some(standing) = self.next_standing(&rules.periods, &mut walk).await?
        {
            due += u64::from(matches!(standing, Standing::Due(..)));
            tokio::task::yield_now().await;
        }
        Ok((due, walk.faulty()))
    }

    /// Erases the next who is due as of the beginning of the run.
    async fn go_on(
        &self,
        row: Genuine<RetentionRow>,
        run_at: Timestamp,
        walk: &mut Option<Walk>,
        rules: &Rules,
    ) -> Result<RetentionStep, Error> {
        let mut here = walk
            .take()
            .filter(|walk| walk.now() == run_at)
            .unwrap_or_else(|| Walk::at(run_at));
        let Some(departments) = self.departments_to_unrefer().await? else {
            let (faulty, put_off, all) = (here.faulty(), here.put_off(), true);
            let now = self.clock.now()?;
            return self.end_run(row, now, Left { faulty, put_off, all }).await;
        };
        // Each step erases one: more than the run may erase is a matter of the next step.
        loop {
            if row.erased >= row.allowed {
                break;
            }
            let Some(standing) = self.next_standing(&rules.periods, &mut here).await? else {
                match here.once_more() {
                    Some(last) => here = last,
                    None => break,
                }
                continue;
            };
            let Standing::Due(caller, whole) = standing else {
                continue;
            };
            if here.puts_off(caller.id) {
                continue;
            }
            match self.erase_due(row.clone(), &caller, (&whole, &departments)).await {
                Ok(()) => {
                    *walk = Some(here);
                    return Ok(RetentionStep::Erased);
                }
                Err(error) if is_for_good(&error) => {
                    tracing::warn!(subject = %caller.subject, error = with_causes(&error), "a caller who is due cannot be erased");
                    here.fault();
                }
                Err(error) => {
                    *walk = Some(here.again(caller.id, !is_of_all(&error)));
                    return Err(error);
                }
            }
        }
        let now = self.clock.now()?;
        let (faulty, put_off, all) = (here.faulty(), here.put_off(), false);
        self.end_run(row, now, Left { faulty, put_off, all }).await
    }

    /// Every department; nothing where the row of one is not as the vault wrote it. That keeps everybody, and is said once in a run.
    async fn departments_to_unrefer(&self) -> Result<Option<Departments>, Error> {
        match self.departments_with_references().await {
            Err(error) if is_of_a_row(&error) => {
                tracing::warn!(
                    error = with_causes(&error),
                    "nobody who is due is erased, because the row of a department was changed or damaged"
                );
                Ok(None)
            }
            departments => departments.map(Some),
        }
    }

    async fn end_run(&self, row: Genuine<RetentionRow>, now: Timestamp, left: Left) -> Result<RetentionStep, Error> {
        let next = RetentionRow {
            ended_at: Some(now),
            most: None,
            faulty: left.faulty.max(row.faulty),
            put_off: left.put_off,
            all_kept: left.all,
            version: row.version + 1,
            ..row.into_row()
        };
        tracing::info!(
            erased = next.erased,
            faulty = next.faulty,
            put_off = next.put_off,
            "callers past their periods of retention were erased, but for those whom a fault keeps and those who are left to the next run"
        );
        let told = [
            ("erased", next.erased),
            ("faulty", next.faulty),
            ("put_off", next.put_off),
        ];
        self.turn(RETENTION_ENDED, next, now, &told).await?;
        Ok(RetentionStep::Turned)
    }

    /// One erasure, and that the run has come so far, in one transaction.
    async fn erase_due(
        &self,
        row: Genuine<RetentionRow>,
        caller: &Genuine<CallerRow>,
        (whole, departments): (&Whole, &Departments),
    ) -> Result<(), Error> {
        let now = self.clock.now()?;
        let composed = self.compose_erasure(row.put_by, caller, (whole, departments), now);
        let (mut change, _) = composed.await?;
        change
            .link
            .insert("tickets".to_owned(), whole.tickets.len().to_string());
        change.guards.push(Guard::unchanged(&row));
        change.guards.extend(whole.unheld());
        let unrestricted = |record: &Genuine<CallerRow>| Guard::none(&restriction::IN_FORCE, &cells![record.subject]);
        change.guards.extend(whole.family.iter().map(unrestricted));
        let next = RetentionRow {
            erased: row.erased + 1,
            version: row.version + 1,
            ..row.into_row()
        };
        self.log_run(ERASE_DUE, next, now, change).await?;
        self.copies.forget();
        Ok(())
    }

    /// A run begins or ends, with numbers that the entry has.
    async fn turn(
        &self,
        act: &'static str,
        next: RetentionRow,
        at: Timestamp,
        told: &[(&str, u64)],
    ) -> Result<(), Error> {
        let told = told.iter().map(|(word, count)| ((*word).to_owned(), count.to_string()));
        let all = next.all_kept.then(|| ("kept".to_owned(), "all".to_owned()));
        let change = Change {
            link: told.chain(all).collect(),
            ..Change::default()
        };
        self.log_run(act, next, at, change).await
    }

    /// Makes a step durable, in the name of those who put the periods in force, together with how far the run has come.
    async fn log_run(
        &self,
        act: &'static str,
        next: RetentionRow,
        at: Timestamp,
        mut change: Change,
    ) -> Result<(), Error> {
        change.link.insert("periods".to_owned(), next.periods.clone());
        let act = Unasked {
            who: Some((next.put_by, next.token)),
            approver: Some(next.approved_by),
            ..Unasked::new(act, DepartmentCode::AUDITORS, at, self.rules().policy.hash())
        };
        change.writes.push(Write::put(self.keyring.protect(next)?));
        self.log.unasked_patiently(&act, change).await?;
        Ok(())
    }
}

/// Whether this caller cannot be erased, however often it is tried.
const fn is_for_good(error: &Error) -> bool {
    let log = matches!(
        error,
        Error::Log(CommitError::Miscounted | CommitError::LeafTooLarge | CommitError::Duplicate)
    );
    log || matches!(error, Error::Bad(_)) || is_of_a_row(error)
}

/// Whether nobody can be erased as long as it lasts.
const fn is_of_all(error: &Error) -> bool {
    matches!(
        error,
        Error::Key(_)
            | Error::Clock(_)
            | Error::Log(CommitError::Full | CommitError::Unfenced | CommitError::Dead)
            | Error::Store(StoreError::Full | StoreError::Busy | StoreError::Displaced(_) | StoreError::Database(_))
    )
}
