//! From a trace mark on a copy of something shown to the read it came from.

use serde::{Deserialize, Serialize};

use crate::audit::indexer::shows_fields;
use crate::log::mark::Mark;
use crate::model::ask::Action;
use crate::model::problems;
use crate::store::log_index::Hit;
use crate::vault::auditing::read::Entry;
use crate::vault::{Audit, Error, Session, Vault};

/// The mark to trace, as printed or typed.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskTrace {
    /// Twelve characters; hyphens may be left out.
    #[schema(example = "7K3Q-9ZX2-M4HT")]
    pub mark: String,
}

/// The reads with that mark.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Traced {
    /// The entries of the reads with this mark: nearly always one.
    pub entries: Vec<Entry>,
    /// The log entry of this question.
    pub audit: Audit,
}

impl Vault {
    /// Finds the read behind a trace mark.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::NotFound`] where no read has this mark; [`Error::LogIndexBehind`] while the index is
    /// filled.
    pub async fn trace(&self, session: &Session, mark: Mark) -> Result<Traced, Error> {
        let ask = self.ask_log(session, Action::Trace)?;
        let audit = self.looked(ask, None, None).await?;
        let marked = self.indexer.index().marked(mark.bits(), audit.index).await?;
        let hit = |index| Hit { index, in_time: true };
        let hits: Vec<Hit> = marked.into_iter().map(hit).collect();
        let mut entries = Vec::new();
        let mut names = self.names_for(session);
        for (entry, leaf) in self.leaves(&hits, self.archived_below().await?).await? {
            if shows_fields(&leaf) && Mark::of(entry.hash()) == mark {
                let mut entry = Entry::new(&entry)?;
                names.beside(&mut entry, &leaf).await?;
                entries.push(entry);
            }
        }
        if entries.is_empty() {
            return Err(Error::Bad(problems::NO_SUCH_READ));
        }
        Ok(Traced { entries, audit })
    }
}
