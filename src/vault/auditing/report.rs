//! The report on readers.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::audit::search::Query;
use crate::audit::watch::{Report, Watch};
use crate::model::ask::Action;
use crate::model::principals::DepartmentKind;
use crate::model::problems;
use crate::vault::auditing::search::Beyond;
use crate::vault::{Audit, Error, LARGEST_PAGE, Session, Vault};

/// Entries read at a time.
const PIECE: usize = 1000;
/// Most entries in one report.
const MOST_ENTRIES: u64 = 2_000_000;
/// Days after the last one in which an act still counts as what followed.
const AFTER: i64 = 7;
const LONGEST: u32 = 31;

/// The days of a report.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReportDays {
    /// First day, `YYYY-MM-DD`, in the vault's local time.
    #[param(value_type = String, example = "2026-11-01")]
    pub day: Date,
    /// Number of days, 1 to 31; 1 by default.
    pub days: Option<u32>,
}

/// The report.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ReportAnswer {
    /// The first day.
    #[schema(value_type = String, format = Date)]
    pub day: Date,
    /// Number of days.
    pub days: u32,
    /// Whether the report is final: the seven days in which an act can follow a read are over.
    pub settled: bool,
    /// What the readers did.
    #[serde(flatten)]
    pub report: Report,
    /// What this answer cannot include.
    #[serde(flatten)]
    pub beyond: Beyond,
    /// The log entry of this question. The answer covers the entries before it.
    pub audit: Audit,
}

const NO_SUCH_DAYS: Error = Error::Bad(problems::NO_SUCH_DAYS);
const TOO_MANY: Error = Error::Bad(problems::TOO_MANY_ENTRIES);

impl Vault {
    /// What each reader did in some days, who stands out, and whose data was read most.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Bad`] for days beyond the calendar or too many entries; [`Error::LogIndexBehind`] while
    /// the index is filled.
    pub async fn report(&self, session: &Session, asked: &ReportDays) -> Result<ReportAnswer, Error> {
        let days = asked.days.unwrap_or(1);
        if !(1..=LONGEST).contains(&days) {
            return Err(NO_SUCH_DAYS);
        }
        let hours = self.spending.watching.hours;
        let later = |days: i64| asked.day.checked_add(days.days()).map_err(|_| NO_SUCH_DAYS);
        let end = later(i64::from(days))?;
        let midnight = |day| hours.midnight(day).map_err(|_| NO_SUCH_DAYS);
        let query = Query {
            terms: Vec::new(),
            from: Some(midnight(asked.day)?),
            to: Some(midnight(later(i64::from(days) + AFTER)?)?),
        };
        let ask = self.ask_log(session, Action::Report)?;
        let audit = self.looked(ask, None, None).await?;
        let mut watch = Watch::new(hours, self.centres().await?, asked.day..end);
        let archived = self.archived_below().await?;
        let mut before = Some(audit.index);
        let mut seen: u64 = 0;
        while let Some(position) = before {
            let walked = self
                .indexer
                .index()
                .walk(query.walk(position, PIECE, usize::MAX))
                .await?;
            for (_, leaf) in self.leaves(&walked.hits, archived).await? {
                watch.see(&leaf);
                seen += 1;
            }
            if seen > MOST_ENTRIES {
                return Err(TOO_MANY);
            }
            before = walked.next;
            tokio::task::yield_now().await;
        }
        let mut report = watch.report();
        self.names_for(session).beside_readers(&mut report).await?;
        Ok(ReportAnswer {
            day: asked.day,
            days,
            settled: query
                .to
                .is_some_and(|to| to <= self.clock.now().map_or(0, |now| now.as_millisecond())),
            report,
            beyond: self.beyond(archived).await?,
            audit,
        })
    }

    /// Codes of the departments that take calls: they work at weekends.
    async fn centres(&self) -> Result<BTreeSet<String>, Error> {
        let mut centres = BTreeSet::new();
        let mut after = None;
        loop {
            let page = self.departments_after(after, LARGEST_PAGE).await?;
            let Some(last) = page.last() else { return Ok(centres) };
            after = Some(last.code);
            for department in page {
                if department.kind == DepartmentKind::Centre {
                    centres.insert(department.code.to_string());
                }
            }
        }
    }
}
