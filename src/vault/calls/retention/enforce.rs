//! Two persons put the periods of `retention.toml` in force, as they stand.

use serde::{Deserialize, Serialize};

use crate::keyring::KeyError;
use crate::log::Change;
use crate::model::ask::Action;
use crate::model::purposes::Purpose;
use crate::store::Write;
use crate::store::rows::{About, RetentionRow};
use crate::vault::people::approvals::Exact;
use crate::vault::{Audit, Error, Session, Vault};

/// The words of the request and of its entry: SHA-256 of the file, and how many callers the next run may erase.
const PERIODS: &str = "periods";
const MOST: &str = "most";

/// Which periods are put in force.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Enforce {
    /// SHA-256 in base64 of the `retention.toml` that you mean, as `GET /v1/retention/preview` has it.
    pub periods: String,
    /// How many callers the next run may erase, where more are due than a run may erase otherwise.
    pub most: Option<u32>,
}

/// Periods were put in force.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Enforced {
    /// SHA-256 in base64 of the file.
    pub periods: String,
    /// The log entry of this act.
    pub audit: Audit,
}

impl Vault {
    /// Puts the periods in force, with a second person's approval. The next run begins at once.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::RefusedBecause`]; [`Error::Stale`] where the file is another.
    pub async fn enforce_retention(&self, session: &Session, body: &Enforce, exact: &Exact) -> Result<Enforced, Error> {
        let ask = self.ask(session, Action::EnforceRetention, Purpose::Audit)?;
        self.may_with_two(&ask).await?;
        if body.periods != self.rules().periods_sha256 {
            return Err(Error::Stale);
        }
        let mut about = About::from([(PERIODS.to_owned(), body.periods.clone())]);
        about.extend(body.most.map(|most| (MOST.to_owned(), most.to_string())));
        let act = self.with_two(ask, about, exact).await?;
        let before = self.retention_row().await?;
        let permit = act.permit();
        let approval = permit.facts().approval.as_ref().ok_or(KeyError::Broken)?;
        let row = RetentionRow {
            what: RetentionRow::CALLERS.to_owned(),
            periods: body.periods.clone(),
            put_by: permit.ask().who().id(),
            token: permit.ask().who().token(),
            approved_by: approval.by,
            put_at: permit.ask().at(),
            log: self.log_number(),
            most: body.most,
            run_at: None,
            ended_at: None,
            allowed: 0,
            erased: 0,
            faulty: 0,
            put_off: 0,
            all_kept: false,
            too_many: false,
            version: before.map_or(1, |row| row.version + 1),
        };
        let change = Change {
            writes: vec![Write::put(self.keyring.protect(row)?)],
            ..Change::default()
        };
        let audit = self.act(act, change).await?.position().into();
        self.retention_wanted.notify_one();
        Ok(Enforced {
            periods: body.periods.clone(),
            audit,
        })
    }
}
