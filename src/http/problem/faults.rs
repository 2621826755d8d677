//! Faults inside: of the log, a key or a store. The program log has the words; the asker hears what helps.

use axum::http::StatusCode;

use super::Problem;
use crate::causes::with_causes;
use crate::keyring::KeyError;
use crate::log::{CommitError, NotProved};
use crate::store::StoreError;

pub(super) fn of_log(fault: CommitError) -> Problem {
    let (status, name, title, detail) = match fault {
        CommitError::Full => (
            StatusCode::INSUFFICIENT_STORAGE,
            "storage-full",
            "No space left",
            "free some space; nothing was written",
        ),
        CommitError::Unfenced => (
            StatusCode::INSUFFICIENT_STORAGE,
            "storage-full",
            "No space left",
            "free some space, also where the key store lies; nothing was shown; the entry is in the log, so send a write again \
             with the same Idempotency-Key",
        ),
        CommitError::LeafTooLarge => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "too-many-fields",
            "Too many fields at once",
            "one log entry cannot name them all; ask for fewer",
        ),
        _ => (
            StatusCode::SERVICE_UNAVAILABLE,
            "audit-unavailable",
            "The log is not available",
            "nothing was shown or changed as far as you were told; try again, with the same Idempotency-Key for a write",
        ),
    };
    Problem::new(status, name, title, detail)
}

/// A fault of a key: which, and what the administrator does about it. One that lies in the surroundings may pass (503).
pub(super) fn of_key(fault: KeyError) -> Problem {
    use StatusCode as S;
    let told = match fault {
        KeyError::Locked => {
            let detail = "an administrator must start it again with the passphrase";
            return Problem::new(S::SERVICE_UNAVAILABLE, "locked", "The vault is locked", detail);
        }
        KeyError::MemoryNotLocked => (
            S::SERVICE_UNAVAILABLE,
            "memory-not-locked",
            "No memory can be locked for a key",
            "nothing was opened; raise the limit of locked memory, e.g. `ulimit -l 8192` or LimitMEMLOCK=8M",
        ),
        KeyError::NoRandomness(_) => (
            S::SERVICE_UNAVAILABLE,
            "no-randomness",
            "The operating system gives no random bytes",
            "nothing was sealed; check /dev/urandom on the server",
        ),
        KeyError::NoSuchKey => (
            S::INTERNAL_SERVER_ERROR,
            "no-such-key",
            "The keyring does not hold the key version this needs",
            "nothing was opened; restore the key store from its newest backup",
        ),
        KeyError::NoRecordKey => (
            S::INTERNAL_SERVER_ERROR,
            "no-record-key",
            "The record has no key",
            "it was erased, or the key store is older than the data store: then restore its newest backup",
        ),
        KeyError::Broken | KeyError::WrongPassphrase | KeyError::BadPassphrase | KeyError::WeakParameters => INTEGRITY,
    };
    inside(told, &fault)
}

pub(super) fn of_store(fault: &StoreError) -> Problem {
    let told = match fault {
        StoreError::Full => return of_log(CommitError::Full),
        StoreError::Database(_) | StoreError::Displaced(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "store-unavailable",
            "The database reports a fault",
            "nothing was shown; tell an administrator the `request_id`: the program log has the database's own words",
        ),
        _ => INTEGRITY,
    };
    inside(told, fault)
}

pub(super) fn of_entry(fault: NotProved) -> Problem {
    inside(INTEGRITY, &fault)
}

/// Status, name, title and detail.
type Told = (StatusCode, &'static str, &'static str, &'static str);

const INTEGRITY: Told = (
    StatusCode::INTERNAL_SERVER_ERROR,
    "integrity",
    "Something on file is not as the vault left it",
    "nothing was opened; tell an administrator the `request_id` and let them run `callervault fsck`",
);

fn inside((status, name, title, detail): Told, fault: &(dyn std::error::Error + 'static)) -> Problem {
    Problem {
        inside: Some(with_causes(fault)),
        ..Problem::new(status, name, title, detail)
    }
}
