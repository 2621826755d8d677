//! Where a request came from, as the stores have it.

use std::sync::Arc;

/// The address that a request came from, sealed for that request, and the number of the log that has its entries. No `Debug`.
#[derive(Clone)]
pub struct SealedAddress {
    log: u64,
    sealed: Arc<[u8]>,
}

impl SealedAddress {
    /// As the keyring has sealed it.
    #[must_use]
    pub fn new(log: u64, sealed: Vec<u8>) -> Self {
        Self {
            log,
            sealed: sealed.into(),
        }
    }

    /// The number of the log, from 1.
    #[must_use]
    pub const fn log(&self) -> u64 {
        self.log
    }

    /// The sealed bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.sealed
    }
}
