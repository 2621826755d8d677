//! What is past its period, and what the next run would do. Nothing is changed.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, ZonedDateTime};
use serde::Serialize;

use crate::cells;
use crate::log::leaf::milliseconds;
use crate::model::ask::Action;
use crate::model::problems;
use crate::model::purposes::Purpose;
use crate::model::tickets::MatterKind;
use crate::store::rows::closed::PastRow;
use crate::store::rows::hold::OVERDUE;
use crate::store::rows::{ClosedRow, Genuine, HoldRow};
use crate::vault::calls::retention::due::{Standing, Walk, is_of_a_row, place_from};
use crate::vault::{Audit, Error, LARGEST_PAGE, Session, Vault};

/// Tickets counted for one page. Where more are past their periods, the page ends with the month it has come to.
const MOST_COUNTED: u64 = 20_000;
/// Callers looked at for the next run.
const MOST_LOOKED_AT: u64 = 1_000;
/// Legal holds that are named.
const NAMED: u32 = 50;

/// Tickets of a kind that are past its period, by the month in which they were closed.
#[derive(Serialize, utoipa::ToSchema)]
pub struct DueLine {
    /// The kind of matter.
    pub kind: MatterKind,
    /// The month in which they were closed, UTC, as in `2026-11`.
    pub month: String,
    /// How many.
    pub tickets: u64,
}

/// What the next run would do.
#[derive(Serialize, utoipa::ToSchema)]
pub struct NextRun {
    /// Callers who would be erased: every ticket of theirs is past its period.
    pub due: u64,
    /// Callers with a ticket past its period who are kept by a legal hold, a restriction, or too many tickets.
    pub kept: u64,
    /// Callers with a ticket past its period, and another that is open or not past its period.
    pub early: u64,
    /// Callers or tickets that are kept because a row was changed or damaged: `callervault fsck` names it.
    pub faulty: u64,
    /// Whether all of them were looked at; otherwise there are at least so many.
    pub exact: bool,
    /// Most callers that it may erase.
    pub allowed: u64,
    /// Whether more are due than it may erase: then nobody is erased.
    pub too_many: bool,
}

/// A legal hold that was to be reviewed before today.
#[derive(Serialize, utoipa::ToSchema)]
pub struct OverdueHold {
    /// Its id.
    pub id: String,
    /// The day of review.
    pub review: String,
    /// Id of the account that answers for it.
    pub owner: String,
}

/// Whom a run has kept by a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptByFault {
    /// So many callers or tickets, each by a row of its own.
    Some(u64),
    /// Everybody, by the row of a department.
    All,
}

/// What is past its period.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Preview {
    /// SHA-256 in base64 of the `retention.toml` that was read.
    pub periods: String,
    /// Months of each kind's period.
    #[schema(value_type = std::collections::BTreeMap<String, u32>)]
    pub months: std::collections::BTreeMap<MatterKind, u32>,
    /// Whether two persons have put this file in force. Otherwise nobody is erased.
    pub in_force: bool,
    /// When the newest run began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_at: Option<String>,
    /// How many callers it has erased.
    pub erased: u64,
    /// How many callers or tickets it has kept because a row was changed or damaged: `callervault fsck` names it.
    pub faulty: u64,
    /// How many callers it has left to the next run, because somebody changed something each time or the log was busy.
    pub put_off: u64,
    /// Whether it has erased nobody, or nobody any more, because the row of a department was changed or damaged: `callervault fsck` names it.
    pub all_kept: bool,
    /// What the next run would do; on the first page only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_run: Option<NextRun>,
    /// Legal holds whose day of review is over, at most 50; on the first page only.
    pub overdue_holds: Vec<OverdueHold>,
    /// Tickets past their periods, by kind and month.
    pub items: Vec<DueLine>,
    /// Pass this as `after` to get the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The log entry of this read.
    pub audit: Audit,
}

impl Vault {
    /// What is past its period, page by page.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Bad`] for what is no `next` of a page.
    pub async fn preview_retention(
        &self,
        session: &Session,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Preview, Error> {
        let ask = self.ask(session, Action::PreviewRetention, Purpose::Audit)?;
        let now = ask.at();
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let from = after.map(|text| position(text).ok_or(Error::Bad(problems::BAD_CURSOR)));
        let from = from.transpose()?.unwrap_or((0, Timestamp::MIN));
        let audit = self.note(permit).await?;
        let (rules, row) = (self.rules(), self.retention_row().await?);
        let first = after.is_none();
        let most = row.as_ref().and_then(|row| row.most);
        let (items, next) = self.due_lines(now, from, limit.clamp(1, LARGEST_PAGE)).await?;
        Ok(Preview {
            in_force: row.as_ref().is_some_and(|row| self.is_in_force(row, &rules)),
            periods: rules.periods_sha256.clone(),
            months: rules.periods.periods().clone(),
            run_at: row.as_ref().and_then(|row| row.run_at).map(milliseconds),
            erased: row.as_ref().map_or(0, |row| row.erased),
            faulty: row.as_ref().map_or(0, |row| row.faulty),
            put_off: row.as_ref().map_or(0, |row| row.put_off),
            all_kept: row.as_ref().is_some_and(|row| row.all_kept),
            next_run: if first {
                Some(self.next_run(now, most).await?)
            } else {
                None
            },
            overdue_holds: if first { self.overdue_holds().await? } else { Vec::new() },
            items,
            next: next.map(|(kind, month)| format!("{kind}.{}", month.as_millisecond())),
            audit,
        })
    }

    async fn next_run(&self, now: Timestamp, most: Option<u32>) -> Result<NextRun, Error> {
        let rules = self.rules();
        let allowed = self.allowed_in_a_run(most, &rules).await?;
        let mut run = NextRun {
            due: 0,
            kept: 0,
            early: 0,
            faulty: 0,
            exact: true,
            allowed,
            too_many: false,
        };
        let mut walk = Walk::at(now);
        while let Some(standing) = self.next_standing(&rules.periods, &mut walk).await? {
            if run.due + run.kept + run.early + run.faulty >= MOST_LOOKED_AT {
                run.exact = false;
                break;
            }
            match standing {
                Standing::Due(..) => run.due += 1,
                Standing::Kept => run.kept += 1,
                Standing::Early => run.early += 1,
                Standing::Faulty => run.faulty += 1,
            }
            tokio::task::yield_now().await;
        }
        run.too_many = run.due > allowed;
        Ok(run)
    }

    /// Tickets past their periods from a kind and a month on, and where the next page begins.
    async fn due_lines(
        &self,
        now: Timestamp,
        (first, from): (usize, Timestamp),
        limit: u32,
    ) -> Result<(Vec<DueLine>, Option<(usize, Timestamp)>), Error> {
        let rules = self.rules();
        let (mut lines, mut counted) = (Vec::new(), 0);
        for (at, &kind) in MatterKind::ALL.iter().enumerate().skip(first) {
            let begin = if at == first { from } else { Timestamp::MIN };
            let mut after = place_from(begin);
            let mut line: Option<(DueLine, Timestamp)> = None;
            loop {
                let rows = self.past_of(&rules.periods, kind, now, after.clone()).await?;
                if rows.is_empty() {
                    break;
                }
                for past in rows {
                    after.clone_from(&past.place);
                    let Some(row) = self.checked(past)? else { continue };
                    if let Some((line, _)) = line.as_mut().filter(|(_, end)| row.closed_at < *end) {
                        line.tickets += 1;
                    } else {
                        lines.extend(line.take().map(|(line, _)| line));
                        let (month, begin, end) = month_of(row.closed_at)?;
                        if lines.len() >= limit as usize || counted > MOST_COUNTED {
                            return Ok((lines, Some((at, begin))));
                        }
                        let tickets = 1;
                        line = Some((DueLine { kind, month, tickets }, end));
                    }
                    counted += 1;
                }
                tokio::task::yield_now().await;
            }
            lines.extend(line.map(|(line, _)| line));
        }
        Ok((lines, None))
    }

    /// The row, if it is as the vault wrote it. Another is counted among those that a fault keeps.
    fn checked(&self, past: PastRow) -> Result<Option<Genuine<ClosedRow>>, Error> {
        let checked = past.row.map(|row| self.keyring.genuine(row).map_err(Error::from));
        match checked.transpose() {
            Err(error) if is_of_a_row(&error) => Ok(None),
            checked => checked,
        }
    }

    async fn overdue_holds(&self) -> Result<Vec<OverdueHold>, Error> {
        let today = self.today()?.to_string();
        let rows: Vec<Genuine<HoldRow>> = self.genuine(self.store.all(&OVERDUE, &cells![today, NAMED]).await?)?;
        let overdue = rows.iter().map(|hold| OverdueHold {
            id: hold.id.to_string(),
            review: hold.review.clone(),
            owner: hold.owner.to_string(),
        });
        Ok(overdue.collect())
    }

    /// How many legal holds were to be reviewed before today, counted to 50.
    ///
    /// # Errors
    /// Whatever a store reports.
    pub async fn count_overdue_holds(&self) -> Result<usize, Error> {
        Ok(self.overdue_holds().await?.len())
    }

    /// Whom the newest run has kept by a fault.
    ///
    /// # Errors
    /// Whatever a store reports; [`Error::Key`] where the row of the run was edited.
    pub async fn kept_by_fault(&self) -> Result<KeptByFault, Error> {
        let row = self.retention_row().await?;
        Ok(row.map_or(KeptByFault::Some(0), |row| {
            if row.all_kept {
                KeptByFault::All
            } else {
                KeptByFault::Some(row.faulty)
            }
        }))
    }
}

/// The month of a time in UTC: its name, when it begins, and when the next does.
fn month_of(at: Timestamp) -> Result<(String, Timestamp, Timestamp), Error> {
    let at = ZonedDateTime::new(at, TimeZone::UTC);
    let begin = at.first_of_month().and_then(|first| first.start_of_day());
    let begin = begin.map_err(|_| crate::clock::NoClock)?;
    let end = begin.checked_add(1.month()).map_err(|_| crate::clock::NoClock)?;
    let month = format!("{:04}-{:02}", begin.year(), begin.month());
    Ok((month, begin.timestamp(), end.timestamp()))
}

/// A kind and a month, as a cursor has them. Tickets of the month itself follow.
fn position(text: &str) -> Option<(usize, Timestamp)> {
    let (kind, at) = text.split_once('.')?;
    let at: i64 = at.parse().ok()?;
    let before = Timestamp::from_millisecond(at.checked_sub(1)?).ok()?;
    Some((kind.parse().ok().filter(|kind| *kind < MatterKind::ALL.len())?, before))
}
