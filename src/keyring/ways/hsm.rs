//! The root key under a key of a hardware module, by PKCS #11 (OASIS, v2.40 and later): AES-GCM in the module, by a key that never leaves it.
//!
//! The module is a library of its vendor that runs in this process, on its threads' stacks: what it leaves in memory is not within reach.
//! Its path comes from the command line and never from the key store, so that whoever edits rows does not make the vault run a program.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Function, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use zeroize::Zeroizing;

use super::OpensBy;
use crate::keyring::KeyError;
use crate::keyring::memory::{KEY_LEN, Secret};
use crate::keyring::passphrase::Pin;
use crate::randomness::Randomness;
use crate::store::rows::UnlockRow;

/// As NIST SP 800-38D recommends, in bytes.
const NONCE_LEN: usize = 12;
const TAG_BITS: u64 = 128;

/// A library is initialised once in a process (PKCS #11 §5.4); each use here initialises and finalises it.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A hardware module, and the PIN of a user of it.
pub struct Hsm {
    /// The library of its vendor.
    pub module: PathBuf,
    /// The PIN.
    pub pin: Pin,
}

/// A key of a hardware module under which the root key is to be.
pub struct HsmKey {
    /// The module.
    pub hsm: Hsm,
    /// The label of the token.
    pub token: String,
    /// The label of the key. It is made where there is none.
    pub key: String,
}

impl HsmKey {
    pub(super) fn choose(&self, row: &mut UnlockRow) {
        row.way = OpensBy::Pkcs11;
        row.token.clone_from(&self.token);
        row.key_label.clone_from(&self.key);
    }
}

/// The root key under the key that the row names; the key is made where the token has none of that name.
///
/// # Errors
/// As [`open`].
pub(super) fn seal(
    hsm: &Hsm,
    aad: &[u8],
    row: &UnlockRow,
    root: &[u8; KEY_LEN],
    randomness: &dyn Randomness,
) -> Result<Vec<u8>, KeyError> {
    let mut nonce = [0; NONCE_LEN];
    randomness.fill(&mut nonce)?;
    let sealed = with_session(hsm, row, Use::Make, |session, key| {
        let mut iv = nonce;
        let gcm = GcmParams::new(&mut iv, aad, TAG_BITS.into())?;
        session.encrypt(&Mechanism::AesGcm(gcm), key, root)
    })?;
    Ok([&nonce[..], &sealed].concat())
}

/// Opens the root key in the module.
///
/// # Errors
/// [`KeyError::WrongPin`], [`KeyError::PinLocked`], [`KeyError::NoModule`], [`KeyError::NoToken`], [`KeyError::NoHsmKey`];
/// [`KeyError::WrongHsmKey`] where the key does not open it; [`KeyError::Hsm`] for any other fault of the module.
pub(super) fn open(hsm: &Hsm, aad: &[u8], row: &UnlockRow) -> Result<Secret, KeyError> {
    let (nonce, sealed) = row
        .wrapped_root
        .split_first_chunk::<NONCE_LEN>()
        .ok_or(KeyError::Broken)?;
    let plain = with_session(hsm, row, Use::Open, |session, key| {
        let mut iv = *nonce;
        let gcm = GcmParams::new(&mut iv, aad, TAG_BITS.into())?;
        Ok(Zeroizing::new(session.decrypt(&Mechanism::AesGcm(gcm), key, sealed)?))
    })?;
    let mut root = Secret::empty()?;
    if plain.len() != KEY_LEN {
        return Err(KeyError::Broken);
    }
    root.bytes_mut().copy_from_slice(&plain);
    Ok(root)
}

/// Whether a key that is not there is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Make,
    Open,
}

/// Works in the module with the key that the row names, and lets the module go.
fn with_session<T>(
    hsm: &Hsm,
    row: &UnlockRow,
    what: Use,
    work: impl FnOnce(&Session, ObjectHandle) -> Result<T, Error>,
) -> Result<T, KeyError> {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let module = Pkcs11::new(&hsm.module).map_err(|error| told(&error, KeyError::NoModule))?;
    let arguments = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
    module
        .initialize(arguments)
        .map_err(|error| told(&error, KeyError::NoModule))?;
    let done = with_token(&module, hsm, row, what, work);
    if let Err(error) = module.finalize() {
        tracing::warn!(%error, "the hardware module does not end");
    }
    done
}

fn with_token<T>(
    module: &Pkcs11,
    hsm: &Hsm,
    row: &UnlockRow,
    what: Use,
    work: impl FnOnce(&Session, ObjectHandle) -> Result<T, Error>,
) -> Result<T, KeyError> {
    let slot = slot(module, &row.token)?;
    let session = match what {
        Use::Make => module.open_rw_session(slot),
        Use::Open => module.open_ro_session(slot),
    };
    let session = session.map_err(|error| fault(&error))?;
    let pin = AuthPin::from(hsm.pin.text());
    session
        .login(UserType::User, Some(&pin))
        .map_err(|error| fault(&error))?;
    let key = match (key(&session, &row.key_label)?, what) {
        (Some(key), _) => key,
        (None, Use::Make) => make(&session, &row.key_label).map_err(|error| fault(&error))?,
        (None, Use::Open) => return Err(KeyError::NoHsmKey),
    };
    work(&session, key).map_err(|error| fault(&error))
}

/// The slot with the token of this label.
fn slot(module: &Pkcs11, label: &str) -> Result<Slot, KeyError> {
    let slots = module.get_slots_with_token().map_err(|error| fault(&error))?;
    let is_it = |slot: &Slot| module.get_token_info(*slot).is_ok_and(|token| token.label() == label);
    slots.into_iter().find(is_it).ok_or(KeyError::NoToken)
}

/// The one AES key of this label.
fn key(session: &Session, label: &str) -> Result<Option<ObjectHandle>, KeyError> {
    let wanted = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Label(label.as_bytes().to_vec()),
    ];
    let found = session.find_objects(&wanted).map_err(|error| fault(&error))?;
    match *found {
        [] => Ok(None),
        [key] => Ok(Some(key)),
        _ => Err(KeyError::SeveralHsmKeys),
    }
}

/// An AES-256 key that never leaves the module.
fn make(session: &Session, label: &str) -> Result<ObjectHandle, Error> {
    let template = [
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
        Attribute::ValueLen(KEY_LEN.try_into()?),
        Attribute::Label(label.as_bytes().to_vec()),
    ];
    session.generate_key(&Mechanism::AesKeyGen, &template)
}

/// What the module says, for those at the machine, and what it comes to.
fn told(error: &Error, fault: KeyError) -> KeyError {
    tracing::warn!(%error, "the hardware module");
    fault
}

fn fault(error: &Error) -> KeyError {
    let of = match error {
        Error::Pkcs11(RvError::PinIncorrect | RvError::PinLenRange | RvError::PinInvalid, _) => KeyError::WrongPin,
        Error::Pkcs11(RvError::PinLocked, _) => KeyError::PinLocked,
        Error::Pkcs11(RvError::TokenNotPresent | RvError::TokenNotRecognized | RvError::DeviceRemoved, _) => {
            KeyError::NoToken
        }
        // What modules say where the tag does not fit.
        Error::Pkcs11(
            RvError::EncryptedDataInvalid
            | RvError::EncryptedDataLenRange
            | RvError::GeneralError
            | RvError::FunctionFailed,
            Function::Decrypt,
        ) => KeyError::WrongHsmKey,
        _ => KeyError::Hsm,
    };
    told(error, of)
}
