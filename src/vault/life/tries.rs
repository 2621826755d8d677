//! Wrong passphrases that a running server is given: counted in the key store, and each makes the next try wait longer.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::unlocking::CameFrom;
use crate::store::rows::UnlockTryRow;
use crate::store::{KeyStore, StoreError};

/// The wait after the first wrong one. It doubles with each.
const FIRST: Duration = Duration::from_secs(1);
/// A guesser waits so long, and so does an owner who comes after one.
const LONGEST: Duration = Duration::from_secs(30);

/// How long no try is looked at after so many wrong ones.
fn delay(wrong: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(wrong.saturating_sub(1));
    FIRST.saturating_mul(doubled).min(LONGEST)
}

fn of(tries: &[UnlockTryRow], from: CameFrom) -> Option<&UnlockTryRow> {
    tries.iter().find(|row| row.came_from == from)
}

/// How long the next try has still to wait.
pub(super) fn wait(tries: &[UnlockTryRow], from: CameFrom, now: Timestamp) -> Duration {
    let Some(last) = of(tries, from) else {
        return Duration::ZERO;
    };
    // By a clock that was set back, that try is still to come: nobody waits for it. The next wrong one counts from now.
    let passed = Duration::try_from(now.duration_since(last.last_at)).unwrap_or(Duration::MAX);
    delay(last.wrong).saturating_sub(passed)
}

/// Counts a wrong one, before it is answered.
///
/// # Errors
/// Whatever the key store reports.
pub(super) fn count(
    keys: &dyn KeyStore,
    tries: &[UnlockTryRow],
    from: CameFrom,
    now: Timestamp,
) -> Result<(), StoreError> {
    let before = of(tries, from);
    let row = UnlockTryRow {
        came_from: from,
        wrong: before.map_or(0, |row| row.wrong).saturating_add(1),
        first_at: before.map_or(now, |row| row.first_at),
        last_at: now,
    };
    keys.put_unlock_try(&row)?;
    tracing::warn!(came_from = %from, wrong = row.wrong, "a wrong passphrase or share");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrong_one_doubles_the_wait_up_to_half_a_minute() {
        let waits: Vec<u64> = (1..=7).map(|wrong| delay(wrong).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(delay(u32::MAX), LONGEST);
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait_longer() {
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
        let after = |seconds: i64| now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
        let tries = [UnlockTryRow {
            came_from: CameFrom::Network,
            wrong: 4,
            first_at: now,
            last_at: now,
        }];
        let waits = |at| wait(&tries, CameFrom::Network, at).as_secs();
        assert_eq!([waits(now), waits(after(3)), waits(after(8))], [8, 5, 0]);
        assert_eq!(waits(after(-86_400)), 0);
        assert_eq!(
            wait(&tries, CameFrom::Machine, now),
            Duration::ZERO,
            "each place has its own"
        );
    }
}
