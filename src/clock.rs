//! Time is a parameter.

use std::sync::Mutex;
use std::sync::PoisonError;

use jiff::Timestamp;

/// No system clock that is set right shows an earlier second (2026-01-01T00:00:00Z).
const EARLIEST: i64 = 1_767_225_600;

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The time now.
    ///
    /// # Errors
    /// [`NoClock`] when the clock is evidently not set: no decision rests on such a time (P10).
    fn now(&self) -> Result<Timestamp, NoClock>;
}

/// The clock is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system clock shows a time before 2026\n  set it; nothing is decided on a wrong time")]
pub struct NoClock;

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Clock for System {
    fn now(&self) -> Result<Timestamp, NoClock> {
        let now = Timestamp::now();
        if now.as_second() < EARLIEST {
            Err(NoClock)
        } else {
            Ok(now)
        }
    }
}

/// A clock that stands until it is moved.
#[derive(Debug)]
pub struct Fixed(Mutex<Timestamp>);

impl Fixed {
    /// Stands at this time.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// Moves it.
    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Clock for Fixed {
    fn now(&self) -> Result<Timestamp, NoClock> {
        Ok(*self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
