//! Rotations of keys that a crash has interrupted: what the log says is there is used, what it does not know is forgotten.

use crate::keyring::KeyError;
use crate::model::key_roles::KeyRole;
use crate::store::rows::key_version;
use crate::store::rows::{Genuine, KeyVersionRow, KeyringRow};
use crate::vault::life::open::{OpenError, Unlocked};

impl Unlocked {
    /// Makes the newest version of each role that stands in the log the active one, and forgets newer ones. They sealed nothing.
    ///
    /// # Errors
    /// [`OpenError::OlderKeys`] where the log has a version that the key store lacks; [`KeyError::Broken`] for a row that was edited.
    pub(in crate::vault) async fn finish_rotations(&self) -> Result<(), OpenError> {
        let noted = self.store.all(&key_version::ALL, &[]).await?;
        let noted = noted.into_iter().map(|row| self.keyring.genuine(row));
        let noted: Vec<Genuine<KeyVersionRow>> = noted.collect::<Result<_, KeyError>>()?;
        let there = self.keys.keyring().await?;
        if let Some(row) = noted.iter().find(|row| !there.iter().any(|key| is(row, key))) {
            return Err(OpenError::OlderKeys(row.role, row.version));
        }
        for role in KeyRole::ALL {
            let of_role = || there.iter().filter(|key| key.role == role.as_str());
            let active = of_role().find(|key| key.active).map_or(0, |key| key.version);
            for key in of_role().filter(|key| key.version > active) {
                if noted.iter().any(|row| is(row, key)) {
                    self.keys.activate_key(&key.role, key.version)?;
                    self.keyring.activate(key)?;
                }
            }
            if of_role().any(|key| key.version > active) {
                self.keys.drop_unused_keys(role.as_str())?;
            }
        }
        Ok(())
    }
}

fn is(row: &KeyVersionRow, key: &KeyringRow) -> bool {
    (row.role.as_str(), row.version) == (&*key.role, key.version)
}
