//! Keyed codes: over rows that decide, of values for blind indexes, of requests that may come again.
//!
//! A code names the version of the key it was made with. New ones are made with the active version; old ones are checked, and
//! looked for, with theirs.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::derive::keyed;
use super::{KeyError, KeyRole, Keyring};
use crate::model::claim_code::ClaimCode;
use crate::model::code::Code;
use crate::model::fields::Indexed;
use crate::model::ids::PrincipalId;
use crate::store::rows::coded::{encoding, encoding_of};
use crate::store::rows::{BlindIndexRow, Cell, Coded, Genuine, Protected, Stored, Table};

/// What a code is for: the role of its key, and the label of the subkey under that.
struct Purpose<'p> {
    role: KeyRole,
    label: [&'p [u8]; 2],
}

impl Purpose<'_> {
    const REPLAY_KEY: Self = Self {
        role: KeyRole::Row,
        label: [b"callervault/replay-key/1", b""],
    };
    const CLAIM: Self = Self {
        role: KeyRole::Row,
        label: [b"callervault/claim-code/1", b""],
    };
    /// With the name of a blind index.
    const ASKED_VALUE: &'static [u8] = b"callervault/asked-value/1";
    const REQUEST: Self = Self {
        role: KeyRole::Row,
        label: [b"callervault/request/1", b""],
    };
}

/// Account and one-time code, both of one length.
fn claim(account: &PrincipalId, code: &ClaimCode) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([&account.as_bytes()[..], code.as_bytes()].concat())
}

fn of_rows(table: &str) -> Purpose<'_> {
    Purpose {
        role: KeyRole::Row,
        label: [b"callervault/row/1", table.as_bytes()],
    }
}

fn of_index(index: &str) -> Purpose<'_> {
    Purpose {
        role: KeyRole::Index,
        label: [b"callervault/blind-index/1", index.as_bytes()],
    }
}

impl Keyring {
    /// The row with a code under the active row key.
    ///
    /// # Errors
    /// When locked.
    #[expect(clippy::disallowed_methods, reason = "the code was made here")]
    pub fn protect<R: Protected>(&self, row: R) -> Result<Genuine<R>, KeyError> {
        let code = self.active_code(&of_rows(R::table().name), &encoding(&row))?;
        Ok(Genuine::attested(row, code, None))
    }

    /// The row, if it is as the vault last wrote it. An older row put back passes here and is found by `fsck`.
    ///
    /// # Errors
    /// [`KeyError::Broken`] when it is not; otherwise when locked.
    #[expect(clippy::disallowed_methods, reason = "the code is checked here")]
    pub fn genuine<R: Protected>(&self, coded: Coded<R>) -> Result<Genuine<R>, KeyError> {
        let (row, code, leaf) = coded.unchecked();
        self.is_genuine(&row, &code)?;
        Ok(Genuine::attested(row, code, leaf))
    }

    /// Whether this code is the row's.
    ///
    /// # Errors
    /// As [`Self::genuine`].
    pub fn is_genuine<R: Protected>(&self, row: &R, code: &Code) -> Result<(), KeyError> {
        self.check(&of_rows(R::table().name), &encoding(row), code)
    }

    /// Whether this code is the one of a row with these columns.
    ///
    /// # Errors
    /// When locked.
    pub fn is_code(&self, table: &'static Table, columns: &[Cell], code: &Code) -> Result<bool, KeyError> {
        self.is_code_of(&of_rows(table.name), &encoding_of(table, columns), code)
    }

    /// The codes of these rows of one table under the active row key. Nothing for a row that does not carry its own code: what was
    /// edited is not made genuine.
    ///
    /// # Errors
    /// When locked.
    pub fn recoded(&self, table: &'static Table, rows: &[Stored]) -> Result<Vec<Option<Code>>, KeyError> {
        let purpose = of_rows(table.name);
        let newest = self.active(purpose.role)?;
        let rows: Vec<_> = rows.iter().map(|row| (row.code(), row.encoding())).collect();
        self.with_codes(|keys| {
            let code = |version, message: &[u8]| {
                let mac = keyed(keys.key(purpose.role, version)?, &purpose.label, message)?;
                Ok::<_, KeyError>(Code::new(version, *mac.first_chunk().ok_or(KeyError::Broken)?))
            };
            let again = |(old, message): &(&Code, Vec<u8>)| match code(old.version(), message) {
                Ok(right) if right.as_bytes().ct_eq(old.as_bytes()).into() => code(newest, message).map(Some),
                // A code under a key that the vault does not have is somebody else's.
                Ok(_) | Err(KeyError::NoSuchKey) => Ok(None),
                Err(error) => Err(error),
            };
            rows.iter().map(again).collect()
        })
    }

    /// The code of a value for a new entry of a blind index, under the index's own subkey. Equal values give equal codes under
    /// one key; nothing else can be learnt from one without the key.
    ///
    /// # Errors
    /// When locked.
    pub fn blind_index(&self, indexed: &Indexed) -> Result<Code, KeyError> {
        self.active_code(&of_index(&indexed.index), indexed.value.expose().as_bytes())
    }

    /// The codes of a value under each version of the index key: where it is to be looked for. Oldest first: entries move to newer
    /// versions only, so that one that is no longer found under an older version is found under a newer one afterwards.
    ///
    /// # Errors
    /// When locked.
    pub fn blind_indexes(&self, indexed: &Indexed) -> Result<Vec<Code>, KeyError> {
        let mut codes = self.all_codes(&of_index(&indexed.index), indexed.value.expose().as_bytes())?;
        codes.reverse();
        Ok(codes)
    }

    /// Whether an entry of a blind index stands for this value.
    ///
    /// # Errors
    /// When locked.
    pub fn indexes(&self, entry: &BlindIndexRow, indexed: &Indexed) -> Result<bool, KeyError> {
        let value = indexed.value.expose().as_bytes();
        Ok(entry.idx == indexed.index && self.is_code_of(&of_index(&indexed.index), value, &entry.value)?)
    }

    /// The codes of an `Idempotency-Key`, which may hold anything, under each version of the row key, newest first.
    ///
    /// # Errors
    /// When locked.
    pub fn replay_keys(&self, key: &str) -> Result<Vec<Code>, KeyError> {
        self.all_codes(&Purpose::REPLAY_KEY, key.as_bytes())
    }

    /// The code of a request, which may hold personal values.
    ///
    /// # Errors
    /// When locked.
    pub fn request_code(&self, request: &[u8]) -> Result<Code, KeyError> {
        self.active_code(&Purpose::REQUEST, request)
    }

    /// Whether this is the code of this request.
    ///
    /// # Errors
    /// When locked.
    pub fn is_request(&self, code: &Code, request: &[u8]) -> Result<bool, KeyError> {
        self.is_code_of(&Purpose::REQUEST, request, code)
    }

    /// The code of a value, in normal form, that readers are asked for: the same for fields that share a blind index, and another than in
    /// that index. It changes with the version of the row key.
    ///
    /// # Errors
    /// When locked.
    pub fn asked_value_code(&self, index: &str, value: &[u8]) -> Result<Code, KeyError> {
        let purpose = Purpose {
            role: KeyRole::Row,
            label: [Purpose::ASKED_VALUE, index.as_bytes()],
        };
        self.active_code(&purpose, value)
    }

    /// The code of an account's one-time code. Copied to another account's row it is wrong.
    ///
    /// # Errors
    /// When locked.
    pub fn claim_code(&self, account: &PrincipalId, code: &ClaimCode) -> Result<Code, KeyError> {
        self.active_code(&Purpose::CLAIM, &claim(account, code))
    }

    /// Whether this is the code of this account's one-time code.
    ///
    /// # Errors
    /// When locked.
    pub fn is_claim_code(&self, known: &Code, account: &PrincipalId, code: &ClaimCode) -> Result<bool, KeyError> {
        self.is_code_of(&Purpose::CLAIM, &claim(account, code), known)
    }

    fn active_code(&self, purpose: &Purpose<'_>, message: &[u8]) -> Result<Code, KeyError> {
        let version = self.active(purpose.role)?;
        self.code(purpose, version, message)
    }

    fn all_codes(&self, purpose: &Purpose<'_>, message: &[u8]) -> Result<Vec<Code>, KeyError> {
        self.versions(purpose.role)?
            .into_iter()
            .map(|version| self.code(purpose, version, message))
            .collect()
    }

    fn check(&self, purpose: &Purpose<'_>, message: &[u8], code: &Code) -> Result<(), KeyError> {
        if self.is_code_of(purpose, message, code)? {
            Ok(())
        } else {
            Err(KeyError::Broken)
        }
    }

    fn is_code_of(&self, purpose: &Purpose<'_>, message: &[u8], code: &Code) -> Result<bool, KeyError> {
        let right = match self.code(purpose, code.version(), message) {
            // A code under a key that the vault never had is somebody else's.
            Err(KeyError::NoSuchKey) => return Ok(false),
            right => right?,
        };
        Ok(right.as_bytes().ct_eq(code.as_bytes()).into())
    }

    fn code(&self, purpose: &Purpose<'_>, version: u8, message: &[u8]) -> Result<Code, KeyError> {
        let mac = self.with_codes(|keys| {
            let key = keys.key(purpose.role, version)?;
            keyed(key, &purpose.label, message)
        })?;
        Ok(Code::new(version, *mac.first_chunk().ok_or(KeyError::Broken)?))
    }
}
