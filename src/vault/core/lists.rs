//! The city's lists in force.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use crate::model::lists::Lists;
use crate::vault::Vault;

/// The lists, and where they are read again from.
pub(in crate::vault) struct ListsInForce {
    /// The directory of policies.
    pub(in crate::vault) directory: PathBuf,
    /// The operator named it: then it must be there.
    pub(in crate::vault) named: bool,
    now: RwLock<Arc<Lists>>,
    /// Held from reading files to putting them in force: the last that the log has is the one in force.
    pub(in crate::vault) rereading: tokio::sync::Mutex<()>,
}

impl ListsInForce {
    pub(in crate::vault) fn new(lists: Lists, directory: PathBuf, named: bool) -> Self {
        Self {
            directory,
            named,
            now: RwLock::new(Arc::new(lists)),
            rereading: tokio::sync::Mutex::default(),
        }
    }

    /// Takes others in their place.
    pub(in crate::vault) fn replace(&self, lists: Lists) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(lists);
    }
}

impl Vault {
    /// The city's lists.
    #[must_use]
    pub fn lists(&self) -> Arc<Lists> {
        Arc::clone(&self.lists.now.read().unwrap_or_else(PoisonError::into_inner))
    }
}
