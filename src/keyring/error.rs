//! What can go wrong with keys. Never a key, never a value.
//!
//! The ciphers' own errors are dropped: they say nothing (`ring::error::Unspecified`, `aead::Error`), and words about what did not
//! open could tell something of it. So are those of the system where memory cannot be locked: the remedy is the same.

use crate::model::key_roles::KeyRole;
use crate::model::unlocking::OpensBy;
use crate::randomness;

/// A key operation did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The vault is locked.
    #[error("the vault is locked\n  unlock it: `callervault unlock`")]
    Locked,
    /// A sealed value or wrapped key does not open here: it was changed, moved, or sealed elsewhere.
    #[error("a sealed value does not open where it stands\n  run `callervault fsck`: it names the row")]
    Broken,
    /// The wrapped root key is not as it was written: whatever people bring, nothing opens it.
    #[error(
        "the wrapped root key in the key store was changed or damaged: no passphrase, share or module opens it\n  restore the key store from \
         its backup"
    )]
    RootDamaged,
    /// The passphrase is not the one.
    #[error("the passphrase does not open this key store\n  check the passphrase and the directory")]
    WrongPassphrase,
    /// The vault opens in another way.
    #[error("{}", other_way(.0))]
    OtherWay(OpensBy),
    /// What was typed is no share: its check does not fit.
    #[error("a share was mistyped: its check does not fit\n  compare it with what was handed out, letter by letter")]
    BadShare,
    /// A share of another vault, or one that is not of the shares that there are.
    #[error("this share is of another vault\n  check the directory, and which share it is")]
    ForeignShare,
    /// A share from before the holders were changed.
    #[error(
        "this share is of generation {of}, and the vault opens by generation {now}: it was replaced\n  bring the share that was handed \
         out last"
    )]
    OlderShare {
        /// Its generation.
        of: u32,
        /// The one in force.
        now: u32,
    },
    /// A share of a change that the key store does not have.
    #[error(
        "this share is of generation {of}, and the key store opens by generation {now}\n  either the change of holders was broken off, and \
         the shares from before it still open the vault, or this key store is an older copy: restore its newest backup"
    )]
    NewerShare {
        /// Its generation.
        of: u32,
        /// The one that the key store has.
        now: u32,
    },
    /// A share of another change of holders that had the same generation.
    #[error(
        "this share is of generation {0}, and of another set than the one that opens the key store: of a change of holders that was broken \
         off, or of another copy of the key store\n  bring a share of the set that is in force"
    )]
    ShareOfOtherSet(u32),
    /// A share that belongs to others than those that are there.
    #[error(
        "this share does not belong to those before it: another vault or generation\n  bring one that was handed out with them"
    )]
    ShareOfOthers,
    /// A share of this number is there.
    #[error("share {0} is in already\n  bring another one")]
    DuplicateShare(u8),
    /// Fewer shares than it takes.
    #[error("these are fewer shares than it takes\n  bring more of them")]
    TooFewShares,
    /// Enough shares, and they do not open the root key.
    #[error(
        "these shares do not open this key store: at least one of them is not the share that was handed out\n  which one cannot be told; \
         bring others"
    )]
    WrongShares,
    /// The PIN of the hardware module is not the one.
    #[error("the hardware module refuses the PIN\n  check it: after a few wrong ones the module locks it")]
    WrongPin,
    /// The module takes the PIN no more.
    #[error("the hardware module has locked the PIN after too many wrong ones\n  its security officer unlocks it")]
    PinLocked,
    /// What was given is no PIN.
    #[error("a PIN is one line of text of 1 to 255 bytes")]
    BadPin,
    /// Nobody said which module.
    #[error("this vault opens by a hardware module, and none is named\n  give --pkcs11 and the path of its library")]
    ModuleNotNamed,
    /// The module's library cannot be loaded.
    #[error("the library of the hardware module cannot be loaded\n  check the path in --pkcs11, and its configuration")]
    NoModule,
    /// The module is not there, or not in it the token.
    #[error("the hardware module has no token of that name\n  check that it is plugged in, or reached, and its label")]
    NoToken,
    /// The token has no such key.
    #[error("the token has no AES key of that name\n  check the label, and that the module was not initialised anew")]
    NoHsmKey,
    /// The token has more than one.
    #[error("the token has several AES keys of that name\n  name a label that one key has")]
    SeveralHsmKeys,
    /// The key is not the one.
    #[error(
        "the key of that name in the hardware module does not open this key store\n  restore that key, or the key store, from its backup"
    )]
    WrongHsmKey,
    /// Something else.
    #[error("the hardware module reports a fault\n  the program log has its words")]
    Hsm,
    /// No such scheme.
    #[error("a threshold is at least 2 and at most the number of shares, and there are at most 255 shares")]
    BadScheme,
    /// The holders have been changed as often as can be.
    #[error("the root key has been wrapped 65,535 times, and there can be no more")]
    NoGenerationLeft,
    /// The passphrase is too short, too long or no text.
    #[error("a passphrase is one line of UTF-8 text of 12 to 1,024 bytes\n  choose another")]
    BadPassphrase,
    /// The stored derivation parameters are weaker than the vault accepts, or absurd.
    #[error(
        "the key store asks for Argon2id parameters outside 64 MiB to 4 GiB, 3 to 64 passes, 1 to 16 lanes\n  it may have been \
         edited; restore it from its backup"
    )]
    WeakParameters,
    /// The keyring holds no such key.
    #[error("the keyring does not hold the key version this needs\n  restore the key store from its backup")]
    NoSuchKey,
    /// A version of a key of the keyring is of a suite that this program does not know.
    #[error(
        "version {1} of the key {0} is of suite {2}, which this program does not know\n  it was made by a newer program, or the key \
         store was edited: use the program that made it, or restore the key store from its backup"
    )]
    UnknownSuite(KeyRole, u8, u8),
    /// The role's key has had every version that there can be.
    #[error("this key has had 255 versions, and there can be no more")]
    NoVersionLeft,
    /// The operating system gives no random bytes.
    #[error(transparent)]
    NoRandomness(#[from] randomness::NoRandomness),
    /// The operating system does not lock memory.
    #[error(
        "the operating system refuses to lock memory for keys\n  raise the limit, e.g. `ulimit -l 8192` or LimitMEMLOCK=8M"
    )]
    MemoryNotLocked,
    /// The record has no key: it was erased, or its key was never stored.
    #[error("the record has no key\n  it was erased, or the key store is older than the data store")]
    NoRecordKey,
}

/// What an error says of what people brought to open a vault.
enum Brought {
    /// It was tried, or could be, and does not open the vault.
    WrongTry,
    /// It was not tried: the module is not there or has not the key, or a share is in already.
    NotTried,
    /// Nothing.
    Nothing,
}

impl KeyError {
    const fn brought(&self) -> Brought {
        match self {
            Self::WrongPassphrase
            | Self::WrongShares
            | Self::OtherWay(_)
            | Self::ForeignShare
            | Self::OlderShare { .. }
            | Self::NewerShare { .. }
            | Self::ShareOfOtherSet(_)
            | Self::ShareOfOthers
            | Self::TooFewShares
            | Self::WrongPin => Brought::WrongTry,
            Self::DuplicateShare(_)
            | Self::PinLocked
            | Self::ModuleNotNamed
            | Self::NoModule
            | Self::NoToken
            | Self::NoHsmKey
            | Self::SeveralHsmKeys
            | Self::WrongHsmKey
            | Self::Hsm => Brought::NotTried,
            _ => Brought::Nothing,
        }
    }

    /// Whether what people brought is not what opens the vault: nothing is wrong with the vault itself.
    #[must_use]
    pub const fn is_of_opener(&self) -> bool {
        !matches!(self.brought(), Brought::Nothing)
    }

    /// Whether it is a try with something that does not open the vault. Faults of a module are not, nor is a share that is in.
    #[must_use]
    pub const fn is_wrong_try(&self) -> bool {
        matches!(self.brought(), Brought::WrongTry)
    }
}

const fn other_way(by: &OpensBy) -> &'static str {
    match by {
        OpensBy::Passphrase => "this vault opens by a passphrase\n  bring that",
        OpensBy::Pkcs11 => {
            "this vault opens by a hardware module\n  give --pkcs11 and the path of its library; the passphrase asked for is its PIN"
        }
        OpensBy::Shares => "this vault opens by shares\n  their holders bring them: see `callervault unlock --help`",
    }
}
