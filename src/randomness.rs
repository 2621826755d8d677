//! Randomness is a parameter.

/// Where random bytes come from.
pub trait Randomness: Send + Sync {
    /// Fills all of `bytes` with bits that nobody can guess.
    ///
    /// # Errors
    /// [`NoRandomness`] when there are none: nothing is made from what `bytes` holds then (P10).
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness>;
}

/// There are no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no random bytes\n  check /dev/urandom")]
pub struct NoRandomness;

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Randomness for System {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the operating system")]
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        use ring::rand::{SecureRandom, SystemRandom};
        SystemRandom::new().fill(bytes).map_err(|_| NoRandomness)
    }
}
