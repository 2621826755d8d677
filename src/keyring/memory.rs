//! Where keys lie in memory: pages of their own, locked against swapping, wiped when dropped.

use zeroize::Zeroize;

use super::KeyError;
use crate::randomness::Randomness;

/// Length of every symmetric key and seed, in bytes.
pub(super) const KEY_LEN: usize = 32;

const PAGE: usize = 4096;

#[repr(C, align(4096))]
struct Page([u8; PAGE]);

/// A page of its own that the system does not swap out. No `Debug`, no `Clone`; wiped when dropped.
pub(super) struct LockedPage {
    // Declared before the page: the lock is released while the page still exists.
    _locked: region::LockGuard,
    page: Box<Page>,
}

impl LockedPage {
    /// A page of zeros, locked.
    pub(super) fn new() -> Result<Self, KeyError> {
        let page = Box::new(Page([0; PAGE]));
        let locked = region::lock(page.0.as_ptr(), PAGE).map_err(|_| KeyError::MemoryNotLocked)?;
        Ok(Self { _locked: locked, page })
    }

    pub(super) const fn bytes(&self) -> &[u8; PAGE] {
        &self.page.0
    }

    pub(super) const fn bytes_mut(&mut self) -> &mut [u8; PAGE] {
        &mut self.page.0
    }
}

impl Drop for LockedPage {
    fn drop(&mut self) {
        self.page.0.zeroize();
    }
}

/// One 256-bit key on a locked page of its own. No `Debug`, no `Clone`; wiped when dropped.
pub(super) struct Secret(LockedPage);

impl Secret {
    /// A key of zeros, to be filled in place.
    pub(super) fn empty() -> Result<Self, KeyError> {
        LockedPage::new().map(Self)
    }

    /// A fresh random key.
    pub(super) fn random(randomness: &dyn Randomness) -> Result<Self, KeyError> {
        let mut secret = Self::empty()?;
        randomness.fill(secret.bytes_mut())?;
        Ok(secret)
    }

    pub(super) fn bytes(&self) -> &[u8; KEY_LEN] {
        // The page is far longer than a key.
        self.0.bytes().first_chunk().unwrap_or(&[0; KEY_LEN])
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        self.0.bytes_mut().split_at_mut(KEY_LEN).0
    }
}
