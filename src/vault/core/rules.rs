//! The rules in force: read together, and replaced together.

use crate::model::deadlines::Deadlines;
use crate::model::fields::FieldSet;
use crate::model::limits::Limits;
use crate::model::retention::RetentionPeriods;
use crate::policy::Policy;

/// Who may see what, what the fields are, how often one account may guess and take calls, how long callers are kept, and until when
/// departments report.
pub struct Rules {
    pub(in crate::vault) fields: FieldSet,
    pub(in crate::vault) policy: Policy,
    pub(in crate::vault) limits: Limits,
    pub(in crate::vault) deadlines: Deadlines,
    pub(in crate::vault) periods: RetentionPeriods,
    /// SHA-256 of `retention.toml` in base64: what two persons put in force.
    pub(in crate::vault) periods_sha256: String,
}

impl Rules {
    /// The declared fields.
    #[must_use]
    pub const fn fields(&self) -> &FieldSet {
        &self.fields
    }
}
