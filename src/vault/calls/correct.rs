//! A wrong value is put right: the old one is gone, the leaf stays.

use serde::{Deserialize, Serialize};

use crate::cells;
use crate::log::{Change, CommitError};
use crate::model::ask::Action;
use crate::model::fields::{CORRECTION_REASON, Field, FieldSet, MatchStrength};
use crate::model::ids::{CallerId, PrincipalId, RecordId, RecordKind};
use crate::model::limits::Counted;
use crate::model::purposes::Purpose;
use crate::model::reference::Reference;
use crate::model::submitted::{Submitted, by_name};
use crate::model::ticket_name::TicketName;
use crate::policy::Why;
use crate::store::rows::blind_index::HITS;
use crate::store::rows::{CallerRow, Genuine};
use crate::store::{Guard, Write};
use crate::vault::core::caller_of;
use crate::vault::{Audit, Error, Replay, Session, Values, Vault};

/// A correction of a caller's fields.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// The ticket of the call in which the error was found.
    #[schema(value_type = String)]
    pub ticket: TicketName,
    /// The reason, sealed as the caller's `correction_reason`.
    #[schema(value_type = String)]
    pub reason: Submitted,
    /// New values by field name.
    #[serde(deserialize_with = "by_name")]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub fields: Values,
}

/// The answer to a correction.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Corrected {
    /// The fields and the version.
    #[serde(flatten)]
    pub answer: CorrectedAnswer,
    /// The log entry of this correction.
    pub audit: Audit,
}

/// The part of the answer that is remembered for a repeated request.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub struct CorrectedAnswer {
    /// Names of the fields that were replaced.
    pub corrected: Vec<String>,
    /// The caller's new version; the `ETag`.
    pub version: u64,
}

/// An identifying value stands once; any other row is one too many already.
const MOST_HITS: u32 = 2;

impl Vault {
    /// Replaces fields of a caller that is still at `version`.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Invalid`], [`Error::Stale`].
    pub async fn correct(
        &self,
        session: &Session,
        caller: Reference,
        body: Correction,
        version: u64,
        replay: Option<&Replay>,
    ) -> Result<Corrected, Error> {
        let corrected = self.correct_once(session, caller, body, version, replay).await;
        let (answer, audit) = self.or_replayed(session, replay, corrected).await?;
        Ok(Corrected { answer, audit })
    }

    async fn correct_once(
        &self,
        session: &Session,
        caller: Reference,
        body: Correction,
        version: u64,
        replay: Option<&Replay>,
    ) -> Result<(CorrectedAnswer, Audit), Error> {
        let names: Vec<String> = body.fields.keys().cloned().collect();
        let names = session.rules.names(RecordKind::Caller, &names)?;
        let ask = self.ask(session, Action::Correct, Purpose::Correct)?;
        let mut ask = ask.caller(caller).ticket(body.ticket).fields(RecordKind::Caller, names);
        let done = self.replayed(session, replay).await?;
        if done.is_none()
            && body
                .fields
                .keys()
                .any(|name| is_identifying(&session.rules.fields, name))
        {
            ask = ask.counting(Counted::Guess);
        }
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        if let Some(done) = done {
            return Ok(done);
        }
        let row = caller_of(&permit)?;
        let id = row.id;
        if row.version != version {
            return Err(Error::Stale);
        }
        let mut values = body.fields;
        values.insert(CORRECTION_REASON.to_owned(), body.reason);
        let values = session.rules.normalise(RecordKind::Caller, &values, self.today()?)?;
        if row.indexed && self.is_somebody_else(id, &values).await? {
            return Err(self.refuse(permit, Why::IdentityTaken).await);
        }

        let corrector = (!permit.facts().is_own_call()).then(|| permit.ask().who().id());
        let mut change = self.corrected(row, &values, corrector).await?;
        let corrected = values
            .iter()
            .map(|(field, _)| field.name().as_str().to_owned())
            .filter(|name| name != CORRECTION_REASON);
        let answer = CorrectedAnswer {
            corrected: corrected.collect(),
            version: version + 1,
        };
        change.writes.extend(self.remember(session, replay, &answer)?);
        let recorded = match self.record(permit, change).await {
            // Somebody was faster with that identity: the next try finds it and is refused, in the log.
            Err(Error::Log(CommitError::Duplicate)) => return Err(Error::Stale),
            other => other?,
        };
        Ok((answer, recorded.position().into()))
    }

    /// The caller's row at its next version, and the fields sealed and indexed anew. `corrector` did not take the call of the ticket.
    async fn corrected(
        &self,
        row: Genuine<CallerRow>,
        values: &[(&Field, Submitted)],
        corrector: Option<PrincipalId>,
    ) -> Result<Change, Error> {
        let (id, indexed, before) = (row.id, row.indexed, row.clone());
        let key = self.sealing_key(RecordId::Caller(id)).await?;
        let mut change = Change {
            guards: vec![Guard::unchanged(&row)],
            ..Change::default()
        };
        let mut next = CallerRow {
            version: row.version + 1,
            ..row.into_row()
        };
        if values.iter().any(|(field, _)| field.matching().is_some()) {
            next.note_corrected_by(corrector.map(|id| id.to_string()));
        }
        next.put_on_file(values.iter().map(|(field, _)| field.name().as_str()));
        change.writes.push(Write::put(self.keyring.protect(next)?));
        for (field, value) in values {
            change.writes.push(Write::Unindex(id, field.name().as_str().to_owned()));
            self.seal_field(&mut change, &key, (id, indexed), field, value)?;
        }
        let names = values.iter().map(|(field, _)| field.name().as_str());
        self.withdraw_values(&mut change, &before, names).await?;
        Ok(change)
    }

    /// Whether an identifying value stands on another caller's file.
    async fn is_somebody_else(&self, caller: CallerId, values: &[(&Field, Submitted)]) -> Result<bool, Error> {
        let identifying = |(field, _): &&(&Field, Submitted)| field.matching() == Some(MatchStrength::Certain);
        for (field, value) in values.iter().filter(identifying) {
            let Some(indexed) = field.indexed(value) else { continue };
            for code in self.keyring.blind_indexes(&indexed)? {
                let with = cells![indexed.index.clone(), code, MOST_HITS];
                for hit in self.store.all(&HITS, &with).await? {
                    if self.in_force(self.keyring.genuine(hit)?.caller).await? != caller {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }
}

fn is_identifying(fields: &FieldSet, name: &str) -> bool {
    let field = fields.get(name);
    field.is_some_and(|field| field.matching() == Some(MatchStrength::Certain))
}
