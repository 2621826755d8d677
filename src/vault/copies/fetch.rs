//! Fetching a backup, piece by piece, and letting it go.

use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crate::model::ask::Action;
use crate::model::backups::Part;
use crate::model::ids::BackupId;
use crate::model::problems::Thing;
use crate::model::purposes::Purpose;
use crate::policy::Permit;
use crate::store::StoreError;
use crate::vault::copies::backup::{BackupLine, line};
use crate::vault::core::Backup;
use crate::vault::{Error, Session, Vault};

/// Bytes of one piece.
const PIECE: u64 = 1024 * 1024;

impl Vault {
    /// How far a backup has come. The asker alone can see it.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::NotFound`] for somebody else's, or one that is gone; why it came to nothing.
    pub async fn backup(&self, session: &Session, id: BackupId) -> Result<BackupLine, Error> {
        let (_, backup) = self.own_backup(session, id).await?;
        let line = line(&backup);
        if line.is_err() {
            self.copies.drop_backup(id);
        }
        line
    }

    /// The bytes of a copy from a place on, as many as one answer has; none behind its end. That somebody begins to fetch it stands in
    /// the log before the first byte leaves.
    ///
    /// # Errors
    /// As [`Self::backup`]; [`Error::NotFound`] too while it is being made.
    pub async fn backup_piece(&self, session: &Session, id: BackupId, part: Part, from: u64) -> Result<Vec<u8>, Error> {
        let (permit, backup) = self.own_backup(session, id).await?;
        let parts = backup.work.result()?.ok_or(Error::NotFound(Thing::Backup))?;
        let copy = parts.get(&part).ok_or(Error::NotFound(Thing::Backup))?;
        if from == 0 || !backup.is_fetched(part) {
            self.note(permit).await?;
            backup.fetch(part);
        }
        let length = copy.length.saturating_sub(from).min(PIECE);
        let mut piece = vec![0; usize::try_from(length).unwrap_or_default()];
        let read = copy.content.read_exact_at(&mut piece, from);
        read.map_err(|fault| StoreError::Database(format!("a copy of a store: {fault}")))?;
        Ok(piece)
    }

    /// Deletes the copies of a backup.
    ///
    /// # Errors
    /// As [`Self::backup`].
    pub async fn drop_backup(&self, session: &Session, id: BackupId) -> Result<(), Error> {
        let _owned = self.own_backup(session, id).await?;
        self.copies.drop_backup(id);
        Ok(())
    }

    async fn own_backup(&self, session: &Session, id: BackupId) -> Result<(Permit, Arc<Backup>), Error> {
        let ask = self.ask(session, Action::FetchBackup, Purpose::Administer)?;
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let backup = self.copies.backup(id, permit.ask().who().id(), permit.ask().at());
        Ok((permit, backup.ok_or(Error::NotFound(Thing::Backup))?))
    }
}
