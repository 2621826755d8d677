//! Callers are erased after a period, by the machinery that erases them when they ask (decision 0044).
//!
//! Two persons put the periods of `retention.toml` in force as they stand. As long as the file is the same, a run a day erases who is due, one
//! after the other, at a rate. A run that would erase more than its share erases nobody. How far it has come stands in the data store and changes
//! with each erasure, so that it goes on after a crash.

mod due;
mod enforce;
mod preview;
mod run;

pub use self::enforce::{Enforce, Enforced};
pub use self::preview::{DueLine, KeptByFault, NextRun, OverdueHold, Preview};
pub use self::run::{RetentionRun, RetentionStep};
use crate::cells;
use crate::store::rows::retention::OF;
use crate::store::rows::{Genuine, RetentionRow};
use crate::vault::{Error, Vault};

impl Vault {
    /// The periods that were put in force, and the newest run.
    async fn retention_row(&self) -> Result<Option<Genuine<RetentionRow>>, Error> {
        let row = self.store.one(&OF, &cells![RetentionRow::CALLERS.to_owned()]).await?;
        Ok(row.map(|row| self.keyring.genuine(row)).transpose()?)
    }
}
