//! How much is under each version of a key. What is counted here keeps a version from being destroyed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::codes;
use crate::model::key_roles::KeyRole;
use crate::store::rows::under::CODE;
use crate::store::rows::{CallerRow, Place, Row, Table};
use crate::store::{DataStore, StoreError};
use crate::vault::{Error, Vault};

/// What is under older versions of a role's key.
#[derive(Default)]
pub(super) struct Left {
    /// By version.
    pub(super) by_version: BTreeMap<String, String>,
    /// How much of it a rewrap can move, if nothing is wrong with it.
    pub(super) movable: u64,
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
        Ok(left)
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
