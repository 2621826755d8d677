//! Where keys lie in memory: pages of their own, locked against swapping, wiped when dropped.

use std::sync::{Mutex, PoisonError};

use zeroize::Zeroize;

use super::KeyError;

/// Length of every symmetric key and seed, in bytes.
pub(super) const KEY_LEN: usize = 32;

const PAGE: usize = 4096;

#[repr(C, align(4096))]
struct Page([u8; PAGE]);

/// One 256-bit key on a locked page of its own. No `Debug`, no `Clone`; wiped when dropped.
pub(super) struct Secret {
    // Declared before the page: the lock is released while the page still exists.
    _locked: region::LockGuard,
    page: Box<Page>,
}

impl Secret {
    /// A page of zeros, locked.
    pub(super) fn empty() -> Result<Self, KeyError> {
        let page = Box::new(Page([0; PAGE]));
        let locked = region::lock(page.0.as_ptr(), PAGE).map_err(|_| KeyError::MemoryNotLocked)?;
        Ok(Self { _locked: locked, page })
    }

    /// A fresh random key.
    pub(super) fn random() -> Result<Self, KeyError> {
        let mut secret = Self::empty()?;
        super::random_bytes(secret.bytes_mut())?;
        Ok(secret)
    }

    pub(super) fn bytes(&self) -> &[u8; KEY_LEN] {
        // The page is far longer than a key.
        self.page.0.first_chunk().unwrap_or(&[0; KEY_LEN])
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        self.page.0.split_at_mut(KEY_LEN).0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.page.0.zeroize();
    }
}

/// Locked pages that record keys borrow for the moment they are used, so that a reveal costs no system call.
#[derive(Default)]
pub(super) struct Pool {
    idle: Mutex<Vec<Secret>>,
}

impl Pool {
    /// Runs `work` with a key page that is wiped again before it is handed back.
    pub(super) fn borrow<T>(&self, work: impl FnOnce(&mut Secret) -> Result<T, KeyError>) -> Result<T, KeyError> {
        let mut secret = match self.idle().pop() {
            Some(secret) => secret,
            None => Secret::empty()?,
        };
        let result = work(&mut secret);
        secret.bytes_mut().zeroize();
        self.idle().push(secret);
        result
    }

    /// Gives the pages back.
    pub(super) fn wipe(&self) {
        self.idle().clear();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Secret>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Overwrites the part of the stack that the calls just made have used, where copies of key schedules may lie.
/// Called after each use of a key, on the same thread, from the same depth.
#[inline(never)]
pub(super) fn wipe_stack() {
    // In words: a byte at a time it would be the dearest part of a reveal.
    let mut used = [0_u64; 2 * 1024];
    used.zeroize();
    std::hint::black_box(&mut used);
}
