//! Rotations and destructions of keys that a crash has interrupted: what the log says is there is used, what it does not know is not,
//! and what it says was destroyed is destroyed.

use crate::keyring::KeyError;
use crate::model::key_roles::KeyRole;
use crate::store::StoreError;
use crate::store::rows::{DestroyedKeyRow, Genuine, KeyVersionRow, KeyringRow, destroyed_key, key_version};
use crate::vault::life::open::{OpenError, Unlocked};

impl Unlocked {
    /// Makes the newest version of each role that stands in the log the active one. Newer ones are not used; the next rotation puts
    /// another in their place. They are not removed here: this may be an older copy of the data store, and another one rests on them.
    /// Destroys what the log says was destroyed.
    ///
    /// # Errors
    /// [`OpenError::OlderKeys`] where the log has a version that the key store lacks; [`OpenError::DestroyedKey`] where it does not know
    /// that one was destroyed; [`KeyError::Broken`] for a row that was edited.
    pub(in crate::vault) async fn finish_rotations(&self) -> Result<(), OpenError> {
        let noted = self.store.all(&key_version::ALL, &[]).await?;
        let noted = noted.into_iter().map(|row| self.keyring.genuine(row));
        let noted: Vec<Genuine<KeyVersionRow>> = noted.collect::<Result<_, KeyError>>()?;
        let destroyed = self.store.all(&destroyed_key::ALL, &[]).await?;
        let destroyed = destroyed.into_iter().map(|row| self.keyring.genuine(row));
        let destroyed: Vec<Genuine<DestroyedKeyRow>> = destroyed.collect::<Result<_, KeyError>>()?;
        let there = self.keys.keyring().await?;
        if let Some(row) = noted.iter().find(|row| !there.iter().any(|key| is(row, key))) {
            return Err(OpenError::OlderKeys(row.role, row.version));
        }
        for key in there.iter().filter(|key| key.is_destroyed()) {
            let role = KeyRole::from_word(&key.role).ok_or(KeyError::Broken)?;
            if !destroyed
                .iter()
                .any(|row| (row.role, row.version) == (role, key.version))
            {
                return Err(OpenError::DestroyedKey(role, key.version));
            }
        }
        self.use_noted(&noted, &there)?;
        // Also those that are destroyed already: the crash may have come before their bytes were gone from the write-ahead log.
        for row in destroyed {
            match self.keys.destroy_key(row.role.as_str(), row.version) {
                Ok(()) => {}
                // It is overwritten, and stands in a write-ahead log as long as somebody reads what was there before.
                Err(StoreError::Busy) => {
                    tracing::warn!("a destroyed key is not gone while somebody reads the key store")
                }
                Err(fault) => return Err(fault.into()),
            }
            self.keyring.forget(row.role, row.version);
        }
        Ok(())
    }

    fn use_noted(&self, noted: &[Genuine<KeyVersionRow>], there: &[KeyringRow]) -> Result<(), OpenError> {
        for role in KeyRole::ALL {
            let of_role = || there.iter().filter(|key| key.role == role.as_str());
            let active = of_role().find(|key| key.active).map_or(0, |key| key.version);
            for key in of_role().filter(|key| key.version > active) {
                if noted.iter().any(|row| is(row, key)) {
                    self.keys.activate_key(&key.role, key.version)?;
                    self.keyring.activate(key)?;
                }
            }
        }
        Ok(())
    }
}

fn is(row: &KeyVersionRow, key: &KeyringRow) -> bool {
    (row.role.as_str(), row.version) == (&*key.role, key.version)
}
