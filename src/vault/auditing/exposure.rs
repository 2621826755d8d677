//! Exposure: who has been shown which fields. What a breach notice needs within the hour.

use serde::{Deserialize, Serialize};

use crate::audit::exposure::{Exposed, Exposure};
use crate::audit::search::Query;
use crate::audit::span::End;
use crate::audit::watch::hours::Hours;
use crate::model::ask::Action;
use crate::model::ids::PrincipalId;
use crate::model::problems;
use crate::model::reference::Reference;
use crate::model::ticket_no::TicketNo;
use crate::store::log_index::{Term, TermKind};
use crate::vault::auditing::lineage::{AlsoSubject, Subjects};
use crate::vault::auditing::search::{Beyond, Span};
use crate::vault::auditing::wanted::subject_of;
use crate::vault::{Audit, Error, Session, Vault};

/// Entries read at a time.
const PIECE: usize = 1000;
/// Entries looked at for one piece.
const STEPS: usize = 200_000;
/// Most reads, and most groups, in one answer.
const MOST_READS: u64 = 1_000_000;
const MOST_GROUPS: usize = 50_000;

/// Which reads to list. Name exactly one of ticket, subject and actor.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskExposure {
    /// Reads for this ticket.
    #[schema(value_type = Option<String>)]
    pub ticket: Option<TicketNo>,
    /// Reads of this caller's data, by the log's reference to the caller.
    #[schema(value_type = Option<String>)]
    pub subject: Option<String>,
    /// Reads by this principal.
    pub actor: Option<String>,
    /// Start: an RFC 3339 time with its offset, or a day in the vault's local time or with an offset, as in
    /// `2026-11-01+08:00`. By default the beginning of the log.
    #[schema(value_type = Option<String>, example = "2026-11-01")]
    pub from: Option<End>,
    /// End, in the same form: a time is excluded, a day included. By default now.
    #[schema(value_type = Option<String>, example = "2026-11-30")]
    pub to: Option<End>,
}

/// Who was shown which fields.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ExposureAnswer {
    /// Each group has the reads of one reader of the same fields in the same form for the same ticket.
    pub groups: Vec<Exposed>,
    /// Number of all reads.
    pub reads: u64,
    /// Where a caller was asked for: other subjects under which the log has reads of this caller's data, because records were merged or
    /// split. Their reads are among the groups.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub also: Vec<AlsoSubject>,
    /// The period that the answer covers.
    #[serde(flatten)]
    pub span: Span,
    /// What this answer cannot include.
    #[serde(flatten)]
    pub beyond: Beyond,
    /// The log entry of this question. The answer covers the entries before it.
    pub audit: Audit,
}

const EXACTLY_ONE: Error = Error::Bad(problems::EXACTLY_ONE);
const MISTYPED: Error = Error::Bad(problems::MISTYPED);
const NO_SUCH_DAY: Error = Error::Bad(problems::NO_SUCH_DAY);
const TOO_WIDE: Error = Error::Bad(problems::TOO_MANY_READS);

impl AskExposure {
    fn subject(&self) -> Result<Option<Reference>, Error> {
        let subject = self.subject.as_deref();
        subject.map(|text| subject_of(text).ok_or(MISTYPED)).transpose()
    }

    fn query(&self, local: Hours) -> Result<Query, Error> {
        let actor: Option<PrincipalId> = self
            .actor
            .as_deref()
            .map(|text| text.parse().map_err(|_| MISTYPED))
            .transpose()?;
        let named = [
            self.ticket.map(|ticket| (TermKind::Ticket, ticket.to_string())),
            self.subject()?.map(|subject| (TermKind::Subject, subject.to_string())),
            actor.map(|actor| (TermKind::Actor, actor.to_string())),
        ];
        let mut named = named.into_iter().flatten();
        let (Some((kind, value)), None) = (named.next(), named.next()) else {
            return Err(EXACTLY_ONE);
        };
        reads(Some(Term { kind, value }), self.from, self.to, local)
    }
}

impl Vault {
    /// Who has been shown which fields in which form.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Bad`] unless exactly one of ticket, caller and reader is named, and for more reads
    /// than one answer holds; [`Error::LogIndexBehind`] while the index is filled.
    pub async fn exposure(&self, session: &Session, body: &AskExposure) -> Result<ExposureAnswer, Error> {
        let query = body.query(self.spending.watching.hours)?;
        let ask = self.ask_log(session, Action::Exposure)?;
        let audit = self.looked(ask, body.ticket, body.subject()?).await?;
        let archived = self.archived_below().await?;
        let mut exposure = Exposure::default();
        let mut also = Vec::new();
        match body.subject()? {
            None => self.expose(&query, audit.index, archived, &mut exposure).await?,
            Some(subject) => {
                let subjects = self.subjects_of(subject).await?;
                self.expose_subjects(&query, &subjects, (audit.index, archived), &mut exposure)
                    .await?;
                also = Self::besides(subject, &subjects);
            }
        }
        let reads = exposure.reads();
        let mut groups = exposure.into_groups();
        self.names_for(session).beside_groups(&mut groups).await?;
        Ok(ExposureAnswer {
            span: Span::of(&query),
            beyond: self.beyond(archived).await?,
            reads,
            also,
            groups,
            audit,
        })
    }

    /// Adds the reads of these subjects, each in its span: the query with another subject in place of its own.
    ///
    /// # Errors
    /// [`Error::Bad`] for more than one answer holds.
    pub(super) async fn expose_subjects(
        &self,
        query: &Query,
        subjects: &Subjects,
        (size, archived): (u64, u64),
        exposure: &mut Exposure,
    ) -> Result<(), Error> {
        for (subject, span) in subjects {
            let mut query = span.of(query);
            query.terms.retain(|term| term.kind != TermKind::Subject);
            query.terms.push(Term {
                kind: TermKind::Subject,
                value: subject.to_string(),
            });
            query.terms.sort_unstable();
            self.expose(&query, size, archived, exposure).await?;
        }
        Ok(())
    }

    /// Adds the reads that fit, of the entries below `size`.
    ///
    /// # Errors
    /// [`Error::Bad`] for more than one answer holds.
    pub(super) async fn expose(
        &self,
        query: &Query,
        size: u64,
        archived: u64,
        exposure: &mut Exposure,
    ) -> Result<(), Error> {
        let mut before = Some(size);
        while let Some(position) = before {
            let walk = query.walk(position, PIECE, STEPS);
            let walked = self.indexer.index().walk(walk).await?;
            for (entry, leaf) in self.leaves(&walked.hits, archived).await? {
                if query.matches(&leaf) {
                    exposure.add(entry.index(), leaf);
                }
            }
            if exposure.reads() > MOST_READS || exposure.len() > MOST_GROUPS {
                return Err(TOO_WIDE);
            }
            before = walked.next;
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

/// The query for reads that showed fields and carry this term, if one is given, in a span of time.
///
/// # Errors
/// [`Error::Bad`] for a day at the end of the calendar.
pub(super) fn reads(of: Option<Term>, from: Option<End>, to: Option<End>, local: Hours) -> Result<Query, Error> {
    let word = |kind, value: &str| Term {
        kind,
        value: value.to_owned(),
    };
    let mut terms = vec![
        word(TermKind::Act, Action::Reveal.as_str()),
        word(TermKind::Out, "granted"),
    ];
    terms.extend(of);
    terms.sort_unstable();
    Ok(Query {
        terms,
        from: from
            .map(|from| from.begins(local))
            .transpose()
            .map_err(|_| NO_SUCH_DAY)?,
        to: to.map(|to| to.ends(local)).transpose().map_err(|_| NO_SUCH_DAY)?,
    })
}
