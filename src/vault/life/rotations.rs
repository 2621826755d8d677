//! Rotations and destructions of keys that a crash has interrupted: what the log says is there is used, what it does not know is not,
//! and what it says was destroyed is destroyed.

use crate::keyring::KeyError;
use crate::model::key_roles::KeyRole;
use crate::store::StoreError;
use crate::store::rows::under::CODE;
use crate::store::rows::{
    Coded, DestroyedKeyRow, Genuine, KeyVersionRow, KeyringRow, Place, Protected, Read, destroyed_key, key_version,
};
use crate::vault::life::open::{OpenError, Unlocked};

/// What a start found of versions of keys that were destroyed.
#[derive(Default)]
pub(in crate::vault) struct Destructions {
    /// The key store says so, and the data store does not: it is an older copy. Nothing in it was made with them.
    pub(in crate::vault) unknown: Vec<(KeyRole, u8)>,
    /// They still stand in a write-ahead log, because somebody reads it.
    pub(in crate::vault) owed: Vec<(KeyRole, u8)>,
}

impl Destructions {
    /// Of a data store that is as new as the key store.
    ///
    /// # Errors
    /// [`OpenError::UnknownDestruction`].
    pub(in crate::vault) fn are_known(&self) -> Result<(), OpenError> {
        match self.unknown.first() {
            None => Ok(()),
            Some(&(role, version)) => Err(OpenError::UnknownDestruction(role, version)),
        }
    }
}

impl Unlocked {
    /// Makes the newest version of each role that stands in the log the active one. Newer ones are not used; the next rotation puts
    /// another in their place. They are not removed here: this may be an older copy of the data store, and another one rests on them.
    /// Destroys what the log says was destroyed.
    ///
    /// # Errors
    /// [`OpenError::OlderKeys`] where the log has a version that the key store lacks; [`OpenError::DestroyedKey`] where something in the
    /// data store was made with a version that was destroyed since; [`KeyError::Broken`] for a row that was edited.
    pub(in crate::vault) async fn finish_rotations(&self) -> Result<Destructions, OpenError> {
        let there = self.keys.keyring().await?;
        let noted: Vec<Genuine<KeyVersionRow>> = self.noted(&key_version::ALL, &there).await?;
        let destroyed: Vec<Genuine<DestroyedKeyRow>> = self.noted(&destroyed_key::ALL, &there).await?;
        if let Some(row) = noted.iter().find(|row| !there.iter().any(|key| is(row, key))) {
            return Err(OpenError::OlderKeys(row.role, row.version));
        }
        let unknown = self.unknown(&destroyed, &there).await?;
        self.use_noted(&noted, &there)?;
        let mut owed = Vec::new();
        // Also those that are destroyed already: the crash may have come before their bytes were gone from the write-ahead log.
        for row in destroyed {
            match self.keys.destroy_key(row.role.as_str(), row.version) {
                Ok(()) => {}
                // It is overwritten, and stands in a write-ahead log as long as somebody reads what was there before.
                Err(StoreError::Busy) => {
                    tracing::warn!("a destroyed key is not gone while somebody reads the key store");
                    owed.push((row.role, row.version));
                }
                Err(fault) => return Err(fault.into()),
            }
            self.keyring.forget(row.role, row.version);
        }
        Ok(Destructions { unknown, owed })
    }

    /// What the data store says of keys.
    async fn noted<R: Protected>(
        &self,
        read: &'static Read<Coded<R>>,
        there: &[KeyringRow],
    ) -> Result<Vec<Genuine<R>>, OpenError> {
        let rows = self.store.all(read, &[]).await?;
        let rows: Result<Vec<Genuine<R>>, KeyError> = rows.into_iter().map(|row| self.keyring.genuine(row)).collect();
        if matches!(rows, Err(KeyError::Broken)) {
            // A row that was made with a destroyed key cannot be told from an edited one by its code.
            let codes = |place: &Place| std::ptr::eq(place.table, R::table()) && place.column == CODE;
            let codes: Vec<Place> = Place::of(KeyRole::Row).filter(codes).collect();
            for key in there
                .iter()
                .filter(|key| key.role == KeyRole::Row.as_str() && key.is_destroyed())
            {
                self.rest_not_on((KeyRole::Row, key.version), &codes).await?;
            }
        }
        Ok(rows?)
    }

    /// Versions that the key store says were destroyed, and of which the data store does not know it.
    async fn unknown(
        &self,
        destroyed: &[Genuine<DestroyedKeyRow>],
        there: &[KeyringRow],
    ) -> Result<Vec<(KeyRole, u8)>, OpenError> {
        let mut unknown = Vec::new();
        for key in there.iter().filter(|key| key.is_destroyed()) {
            let role = KeyRole::from_word(&key.role).ok_or(KeyError::Broken)?;
            let is_it = |row: &Genuine<DestroyedKeyRow>| (row.role, row.version) == (role, key.version);
            if destroyed.iter().any(is_it) {
                continue;
            }
            // What is under a key-encryption key stands in the key store.
            let places: Vec<Place> = Place::of(role).filter(|_| role != KeyRole::Kek).collect();
            self.rest_not_on((role, key.version), &places).await?;
            unknown.push((role, key.version));
        }
        Ok(unknown)
    }

    /// Nothing in these places of the data store was made with this version of a key.
    async fn rest_not_on(&self, (role, version): (KeyRole, u8), places: &[Place]) -> Result<(), OpenError> {
        for place in places {
            if self.store.count_under(place, version).await? > 0 {
                return Err(OpenError::DestroyedKey(role, version));
            }
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
