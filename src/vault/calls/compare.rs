//! Comparing a value with a field without opening it: the blind index answers yes or no.

use serde::{Deserialize, Serialize};

use crate::log::Change;
use crate::model::ask::Action;
use crate::model::ids::RecordKind;
use crate::model::limits::Counted;
use crate::model::problems;
use crate::model::purposes::Purpose;
use crate::model::reference::Reference;
use crate::model::submitted::Submitted;
use crate::model::ticket_name::TicketName;
use crate::vault::core::{Superseded, caller_of};
use crate::vault::{Audit, Error, Session, Vault};

/// A value to compare.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// The ticket for which you need the comparison.
    #[schema(value_type = String)]
    pub ticket: TicketName,
    /// The purpose of the comparison.
    #[schema(example = "handle")]
    pub purpose: Purpose,
    /// Name of a field with a blind index.
    #[schema(example = "callback_number")]
    pub field: String,
    /// The value to compare.
    #[schema(value_type = String)]
    pub value: Submitted,
}

/// The result of a comparison.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Compared {
    /// Whether the value equals the value on file.
    #[serde(rename = "match")]
    pub matches: bool,
    /// Where the reference that you named has been superseded by another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub superseded: Option<Superseded>,
    /// The log entry of this comparison.
    pub audit: Audit,
}

impl Vault {
    /// Compares. Nothing is opened; each comparison is logged and they are limited per principal.
    ///
    /// # Errors
    /// [`Error::Refused`], also after too many guesses; [`Error::Bad`] for a field without a blind index.
    pub async fn compare(&self, session: &Session, caller: Reference, body: &Comparison) -> Result<Compared, Error> {
        let fields = session
            .rules
            .names(RecordKind::Caller, std::slice::from_ref(&body.field))?;
        let field = session.rules.field(&body.field)?;
        if field.index().is_none() {
            return Err(Error::Bad(problems::FIELD_NOT_INDEXED));
        }
        let ask = self.ask(session, Action::Verify, body.purpose)?;
        let ask = ask
            .caller(caller)
            .ticket(body.ticket)
            .fields(RecordKind::Caller, fields)
            .counting(Counted::Guess);
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let about = caller_of(&permit)?;
        if !about.indexed {
            return Err(Error::Bad(problems::NOT_COMPARED));
        }
        let today = self.today()?;
        let mut change = Change::default();
        let superseded = self.superseded(&permit, &mut change).await?;
        let audit = self.record(permit, change).await?.position().into();
        // A value that breaks the field's rule cannot be on file.
        let Ok(value) = field.normalise(&body.value, today) else {
            return Ok(Compared {
                matches: false,
                superseded,
                audit,
            });
        };
        let matches = self.holds(&about, field, &value).await?;
        Ok(Compared {
            matches,
            superseded,
            audit,
        })
    }
}
