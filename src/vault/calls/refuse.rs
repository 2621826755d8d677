//! What a caller asks for is refused: the answer, with its reason and what the caller can do about it, stands in the log.

use serde::{Deserialize, Serialize};

use crate::log::Change;
use crate::model::ask::Action;
use crate::model::problems::Words;
use crate::model::purposes::Purpose;
use crate::model::reference::Reference;
use crate::model::rights::{REMEDY, RefusalGround, RightsRequest};
use crate::vault::core::caller_of;
use crate::vault::{Audit, Error, Session, Vault};

/// The words of the entry for what was asked for, and for why it is refused.
const REQUEST: &str = "request";
const GROUND: &str = "ground";

/// What a caller asks for, and why it is refused.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefuseCaller {
    /// What the caller asks for.
    #[schema(example = "erase")]
    pub request: RightsRequest,
    /// Why it is refused.
    #[schema(example = "must-be-kept")]
    pub ground: RefusalGround,
}

/// The same in both languages.
#[derive(Serialize, utoipa::ToSchema)]
pub struct InBoth {
    /// English.
    pub en: &'static str,
    /// Chinese.
    pub zh: &'static str,
}

impl From<Words> for InBoth {
    fn from(Words { en, zh }: Words) -> Self {
        Self { en, zh }
    }
}

/// The answer to the caller.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CallerRefused {
    /// What the log calls the caller.
    #[schema(value_type = String)]
    pub subject: Reference,
    /// What the caller asked for.
    pub request: RightsRequest,
    /// The same in words.
    pub request_words: InBoth,
    /// Why it is refused.
    pub ground: RefusalGround,
    /// The same in words.
    pub ground_words: InBoth,
    /// What the caller can do about it.
    pub remedy: InBoth,
    /// The log entry of this answer.
    pub audit: Audit,
}

impl Vault {
    /// Refuses what a caller asks for.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn refuse_caller(
        &self,
        session: &Session,
        caller: Reference,
        body: &RefuseCaller,
    ) -> Result<CallerRefused, Error> {
        let ask = self.ask(session, Action::RefuseRequest, Purpose::Audit)?.caller(caller);
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let subject = caller_of(&permit)?.subject;
        let mut change = Change::default();
        change.link.insert(REQUEST.to_owned(), body.request.to_string());
        change.link.insert(GROUND.to_owned(), body.ground.to_string());
        let audit = self.record(permit, change).await?.position().into();
        Ok(CallerRefused {
            subject,
            request: body.request,
            request_words: body.request.label().into(),
            ground: body.ground,
            ground_words: body.ground.label().into(),
            remedy: REMEDY.into(),
            audit,
        })
    }
}
