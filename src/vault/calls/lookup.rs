//! Finding callers by one value, through the blind index.

use serde::{Deserialize, Serialize};

use crate::log::Change;
use crate::model::ask::Action;
use crate::model::ids::{RecordId, RecordKind};
use crate::model::limits::Counted;
use crate::model::problems;
use crate::model::purposes::Purpose;
use crate::model::reference::Reference;
use crate::model::submitted::Submitted;
use crate::vault::{Audit, Error, Session, Vault};

/// What to look for.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LookupCallers {
    /// Name of a field with a blind index. All fields that share the index are searched.
    #[schema(example = "caller_number")]
    pub field: String,
    /// The value to find.
    #[schema(value_type = String)]
    pub value: Submitted,
    /// The purpose of the search.
    #[schema(example = "intake")]
    pub purpose: Purpose,
}

/// The callers found.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Found {
    /// Your department's references to the callers, at most 50.
    #[schema(value_type = Vec<String>)]
    pub callers: Vec<Reference>,
    /// Whether more callers than these have the value.
    pub more: bool,
    /// The log entry of this search.
    pub audit: Audit,
}

impl Vault {
    /// Finds callers. The value stands nowhere in the log.
    ///
    /// # Errors
    /// [`Error::Refused`], also after too many guesses; [`Error::Invalid`], [`Error::Bad`] for a field without a blind index.
    pub async fn lookup(&self, session: &Session, body: &LookupCallers) -> Result<Found, Error> {
        let names = session
            .rules
            .names(RecordKind::Caller, std::slice::from_ref(&body.field))?;
        let field = session.rules.field(&body.field)?;
        if field.index().is_none() {
            return Err(Error::Bad(problems::FIELD_NOT_INDEXED));
        }
        let ask = self
            .ask(session, Action::Lookup, body.purpose)?
            .fields(RecordKind::Caller, names)
            .counting(Counted::Guess);
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let today = self.today()?;
        let value = field
            .normalise(&body.value, today)
            .map_err(|invalid| Error::Invalid(vec![invalid]))?;

        let (callers, more) = self.having(field, &value).await?;
        let mut change = Change::default();
        let mut references = Vec::with_capacity(callers.len());
        for id in callers {
            let record = RecordId::Caller(id);
            references.push(self.refer(&mut change, record, session.actor.references()).await?);
        }
        let recorded = self.record(permit, change).await?;
        Ok(Found {
            callers: references,
            more,
            audit: recorded.position().into(),
        })
    }
}
