//! A department's references get a new version: on a schedule, when departments merge, or when a list of them has leaked (REFERENCES §2.6).

use jiff::SignedDuration;
use serde::Deserialize;

use crate::clock::NoClock;
use crate::model::ask::Action;
use crate::model::problems;
use crate::model::reference::DepartmentCode;
use crate::store::rows::DepartmentRow;
use crate::vault::people::approvals::Act;
use crate::vault::people::departments::ROTATE_REFERENCES;
use crate::vault::people::{Changed, Department};
use crate::vault::{Error, Session, Vault};

/// How long the references from before are good, in days, unless it is said otherwise.
const USUAL_GRACE_DAYS: u16 = 90;
/// Most days.
const MOST_GRACE_DAYS: u16 = 366;
/// Hours of a day.
const HOURS: i64 = 24;

/// How a department's references get a new version.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateReferences {
    /// How many days, 0 to 366, the references from before are still good; 90 by default. 0 where they may be in wrong hands: they end at once,
    /// and those of an earlier rotation with them.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 366, example = 90)]
    pub grace_days: Option<u16>,
}

impl Vault {
    /// Gives a department's references to callers a new version, made with the newest key. Each caller's is given out when it is next
    /// shown. References to tickets stay as they are.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::NotFound`], [`Error::Stale`]; [`Error::Bad`] for a department that is closed, while the references before
    /// the last ones are still good, and after the fifteenth version.
    pub async fn rotate_references(
        &self,
        session: &Session,
        code: DepartmentCode,
        rotate: &RotateReferences,
        version: u64,
    ) -> Result<Changed<Department>, Error> {
        let permit = self.administer(session, Action::SetDepartment).await?;
        let days = rotate.grace_days.unwrap_or(USUAL_GRACE_DAYS);
        if days > MOST_GRACE_DAYS {
            return Err(Error::Bad(problems::BAD_GRACE));
        }
        let row = self.open_department(code).await?;
        if row.version != version {
            return Err(Error::Stale);
        }
        let now = permit.ask().at();
        if days > 0 && row.references().has_grace(now) {
            return Err(Error::Bad(problems::GRACE_RUNS));
        }
        let next = row.reference_keys.and(self.keyring.reference_version()?);
        let grace = SignedDuration::from_hours(i64::from(days) * HOURS);
        let row = DepartmentRow {
            reference_keys: next.ok_or(Error::Bad(problems::NO_MORE_VERSIONS))?,
            grace_until: Some(now.checked_add(grace).map_err(|_| NoClock)?),
            version: version + 1,
            ..row.into_row()
        };
        self.put_department(Act::alone(permit), row, (ROTATE_REFERENCES, None), Vec::new())
            .await
    }
}
