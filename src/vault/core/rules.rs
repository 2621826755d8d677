//! The rules in force: read together, and replaced together.

use crate::model::fields::FieldSet;
use crate::model::limits::Limits;
use crate::policy::Policy;

/// Who may see what, what the fields are, and how often one account may guess and take calls.
pub struct Rules {
    pub(in crate::vault) fields: FieldSet,
    pub(in crate::vault) policy: Policy,
    pub(in crate::vault) limits: Limits,
}

impl Rules {
    /// The declared fields.
    #[must_use]
    pub const fn fields(&self) -> &FieldSet {
        &self.fields
    }
}
