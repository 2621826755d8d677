//! Reading the city's lists again.

use serde::Serialize;

use crate::log::Change;
use crate::model::ask::Action;
use crate::model::lists::Lists;
use crate::model::problems;
use crate::model::purposes::Purpose;
use crate::vault::life::rules;
use crate::vault::{Audit, Error, Session, Vault};

/// The lists have been read again.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Reloaded {
    /// SHA-256 of `lists.toml`, in base64, as in the log entry.
    pub sha256: String,
    /// The lists in force.
    pub lists: Lists,
    /// The log entry of this act.
    pub audit: Audit,
}

impl Vault {
    /// Reads `lists.toml` again, on this node. If the file cannot be used, the old lists stay in force.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Bad`] for a file that cannot be used, of which the program log says more.
    pub async fn reload_lists(&self, session: &Session) -> Result<Reloaded, Error> {
        let ask = self.ask(session, Action::SetLists, Purpose::Administer)?;
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let _one = self.lists.rereading.lock().await;
        let (lists, sha256) = rules::lists(&self.lists.directory, self.lists.named).map_err(|fault| {
            tracing::warn!(%fault, "the lists cannot be used and stay as they were");
            Error::Bad(problems::BAD_LISTS)
        })?;
        let mut change = Change::default();
        change.link.insert("lists".to_owned(), sha256.clone());
        let audit = self.record(permit, change).await?.position().into();
        self.lists.replace(lists.clone());
        rules::tell_lists(&sha256);
        Ok(Reloaded { sha256, lists, audit })
    }
}
