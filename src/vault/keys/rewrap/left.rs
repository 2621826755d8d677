//! How much is under each version of a key. What is counted here keeps a version from being destroyed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::codes;
use crate::model::key_roles::KeyRole;
use crate::store::rows::under::CODE;
use crate::store::rows::{CallerRow, FieldRow, Place, Row, Table};
use crate::store::{DataStore, StoreError};
use crate::vault::{Error, Vault};

/// What is under older versions of a role's key.
#[derive(Default)]
pub(super) struct Left {
    /// By version; fields under [`of_fields`].
    pub(super) by_version: BTreeMap<String, String>,
    /// How much of it a rewrap can move, if nothing is wrong with it.
    pub(super) movable: u64,
}

/// The word for the fields that are sealed in the suite of a version of the key-encryption key.
pub(in crate::vault::keys) fn of_fields(version: u8) -> String {
    format!("{version}/fields")
}

/// Whether a rewrap moves what stands in this place. Remembered answers and sealed reasons and addresses stay as they were made: the log
/// has digests of them, or nobody has what they were made of.
fn is_movable(place: &Place) -> bool {
    matches!(place.role, KeyRole::Kek | KeyRole::Index) || place.column == CODE
}

impl Vault {
    /// How much is under one version, whatever it is. It looks at every row that may be.
    pub(in crate::vault::keys) async fn left_under(&self, role: KeyRole, version: u8) -> Result<u64, Error> {
        let mut left = 0;
        for place in Place::of(role) {
            left += self.named_in(place, version).await?;
        }
        Ok(left + self.fields_in_suite_of(role, version).await?)
    }

    /// How much is left under the older versions.
    pub(super) async fn count_left(&self, role: KeyRole) -> Result<Left, Error> {
        let mut left = Left::default();
        for version in self.keyring.older(role)? {
            let mut sum = 0;
            for place in Place::of(role) {
                let named = self.named_in(place, version).await?;
                sum += named;
                left.movable += if is_movable(&place) { named } else { 0 };
            }
            let fields = self.fields_in_suite_of(role, version).await?;
            if fields > 0 {
                left.movable += fields;
                left.by_version.insert(of_fields(version), fields.to_string());
            }
            left.by_version.insert(version.to_string(), sum.to_string());
        }
        Ok(left)
    }

    /// Rows that a pass of a rewrap looks at.
    pub(super) async fn to_look_at(&self, role: KeyRole) -> Result<u64, Error> {
        let mut rows = 0;
        match role {
            KeyRole::Kek => {
                for version in self.keyring.older(role)? {
                    rows += self.keys.count_record_keys(version).await?;
                }
                if self.changes_suite()? {
                    rows += self.rows_of(FieldRow::table()).await?;
                }
            }
            KeyRole::Row => {
                for table in codes::tables() {
                    rows += self.rows_of(table).await?;
                }
            }
            KeyRole::Index => rows = self.rows_of(CallerRow::table()).await?,
            KeyRole::Reference | KeyRole::Log => {}
        }
        Ok(rows)
    }

    /// Fields that are sealed in the suite of an older key-encryption key, where the newest one is of another.
    async fn fields_in_suite_of(&self, role: KeyRole, version: u8) -> Result<u64, Error> {
        let other = match role {
            KeyRole::Kek => self.keyring.other_suite(version)?,
            _ => None,
        };
        let Some(first_byte) = other else { return Ok(0) };
        let place = Place::of_fields();
        self.aside(move |store, runtime| runtime.block_on(store.count_under(&place, first_byte)))
            .await
    }

    async fn named_in(&self, place: Place, version: u8) -> Result<u64, Error> {
        if place.role == KeyRole::Kek {
            return Ok(self.keys.count_record_keys(version).await?);
        }
        self.aside(move |store, runtime| runtime.block_on(store.count_under(&place, version)))
            .await
    }

    async fn rows_of(&self, table: &'static Table) -> Result<u64, Error> {
        self.aside(move |store, runtime| runtime.block_on(store.count(table)))
            .await
    }

    /// Counts on a thread of its own, beside those that answer requests.
    async fn aside<T: Send + 'static>(
        &self,
        count: impl FnOnce(Arc<dyn DataStore>, tokio::runtime::Handle) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Error> {
        let (store, runtime) = (Arc::clone(&self.store), tokio::runtime::Handle::current());
        let counted = tokio::task::spawn_blocking(move || count(store, runtime)).await;
        Ok(counted.map_err(|_| StoreError::Corrupt("a table that was counted"))??)
    }
}
