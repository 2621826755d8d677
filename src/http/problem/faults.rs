//! Faults inside: of the log, a key or a store. The program log has the words; the asker hears what helps.

use super::Problem;
use crate::keyring::KeyError;
use crate::log::CommitError;
use crate::model::problems;
use crate::model::unlocking::OpensBy;
use crate::store::StoreError;
use crate::vault::Error;
use crate::vault::life::door::NotUnlocked;
use crate::vault::life::open::OpenError;

pub(super) fn of_log(fault: CommitError) -> Problem {
    let kind = match fault {
        CommitError::Full => problems::STORAGE_FULL,
        CommitError::Unfenced => problems::UNFENCED,
        CommitError::LeafTooLarge => problems::TOO_MANY_FIELDS,
        _ => problems::AUDIT_UNAVAILABLE,
    };
    kind.into()
}

/// A fault of a key: which, and what the administrator does about it. One that lies in the surroundings may pass (503).
pub(super) fn of_key(fault: &KeyError) -> Problem {
    let kind = match fault {
        KeyError::Locked => return problems::LOCKED.into(),
        KeyError::MemoryNotLocked => problems::MEMORY_NOT_LOCKED,
        KeyError::NoRandomness(_) => problems::NO_RANDOMNESS,
        KeyError::NoSuchKey => problems::NO_SUCH_KEY,
        KeyError::NoRecordKey => problems::NO_RECORD_KEY,
        KeyError::NoVersionLeft => return problems::NO_VERSION_LEFT.into(),
        // None of them comes up while a vault is open.
        _ => problems::INTEGRITY,
    };
    Problem::from(kind).inside(fault)
}

/// Why a vault was not unlocked. What is in the way of a start too, the program log says.
impl From<NotUnlocked> for Problem {
    fn from(fault: NotUnlocked) -> Self {
        match fault {
            NotUnlocked::Open => problems::ALREADY_UNLOCKED.into(),
            NotUnlocked::Wrong(wait) => Self::from(problems::WRONG_PASSPHRASE).with("wait", wait.as_secs()),
            NotUnlocked::WrongShares(wait) => Self::from(problems::WRONG_SHARES).with("wait", wait.as_secs()),
            NotUnlocked::NotThis(error) => of_opener(error),
            NotUnlocked::TooSoon(wait) => Self::from(problems::UNLOCK_TOO_SOON).after(wait),
            NotUnlocked::Closing => problems::STILL_CLOSING.into(),
            NotUnlocked::NotOpened(OpenError::Store(StoreError::InUse(_))) => problems::VAULT_IN_USE.into(),
            NotUnlocked::NotOpened(
                OpenError::Store(StoreError::Full) | OpenError::Vault(Error::Log(CommitError::Full)),
            ) => problems::STORAGE_FULL.into(),
            NotUnlocked::NotOpened(OpenError::Key(KeyError::MemoryNotLocked)) => problems::MEMORY_NOT_LOCKED.into(),
            NotUnlocked::NotOpened(fault) => Self::from(problems::NOT_OPENED).inside(&fault),
        }
    }
}

/// What is not for this vault as it opens now.
fn of_opener(error: KeyError) -> Problem {
    let generations = |kind, of, now| Problem::from(kind).with("of", of).with("now", now);
    match error {
        KeyError::OtherWay(OpensBy::Passphrase) => problems::OPENS_BY_PASSPHRASE.into(),
        KeyError::OtherWay(OpensBy::Shares) => problems::OPENS_BY_SHARES.into(),
        KeyError::OlderShare { of, now } => generations(problems::OLDER_SHARE, of, now),
        KeyError::NewerShare { of, now } => generations(problems::NEWER_SHARE, of, now),
        KeyError::ShareOfOtherSet(now) => Problem::from(problems::OTHER_SET).with("now", now),
        KeyError::OtherWay(OpensBy::Pkcs11) => problems::OPENS_BY_HSM.into(),
        KeyError::WrongPin => problems::WRONG_PIN.into(),
        KeyError::PinLocked => problems::PIN_LOCKED.into(),
        KeyError::ModuleNotNamed => problems::MODULE_NOT_NAMED.into(),
        KeyError::NoModule | KeyError::NoToken | KeyError::Hsm => Problem::from(problems::HSM_AWAY).inside(&error),
        KeyError::NoHsmKey | KeyError::SeveralHsmKeys | KeyError::WrongHsmKey => {
            Problem::from(problems::HSM_KEY).inside(&error)
        }
        KeyError::DuplicateShare(number) => Problem::from(problems::DUPLICATE_SHARE).with("number", number),
        _ => problems::FOREIGN_SHARE.into(),
    }
}

pub(super) fn of_store(fault: &StoreError) -> Problem {
    let kind = match fault {
        StoreError::Full => return problems::STORAGE_FULL.into(),
        StoreError::Database(_) | StoreError::Displaced(_) => problems::STORE_UNAVAILABLE,
        _ => problems::INTEGRITY,
    };
    Problem::from(kind).inside(fault)
}
