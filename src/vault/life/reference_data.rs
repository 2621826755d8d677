//! The reference data of the files in force.

use crate::model::reference_data::ReferenceData;
use crate::vault::{Session, Vault};

impl Vault {
    /// Fields, words and limits with their labels. It shows nobody, so that it is no entry of the log.
    #[must_use]
    pub fn reference_data(&self, session: &Session) -> ReferenceData {
        ReferenceData::new(session.rules.fields(), &self.lists(), |counted| {
            self.spending.allowed(counted)
        })
    }
}
