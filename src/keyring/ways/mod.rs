//! How the root key opens ([0036](../../../docs/decisions/0036-how-the-root-key-opens.md)).
//!
//! The root key is random and stays the same. It lies in the key store wrapped by another key, and a *way* says where that one comes
//! from. Each way is a variant of [`OpensBy`], of [`Choice`] (how it is to open from now on) and of [`Opener`] (what people bring), and
//! a module here. Each time that holders or the way change, the root key is wrapped anew, under the next *generation*.

mod argon;
mod shamir;
mod share;
mod shares;

use super::memory::{KEY_LEN, Secret};
use super::passphrase::Passphrase;
use super::stack::Stacks;
use super::{KeyError, aead, place};
pub use crate::model::unlocking::OpensBy;
use crate::randomness::Randomness;
use crate::store::rows::{UnlockRow, VaultRow};

pub use self::argon::{LEAST_MEMORY_KIB, LEAST_PASSES};
pub use self::share::Share;
pub use self::shares::{Progress, Scheme, Shares};

/// The generation in the header of a sealed root key, which is that of its format.
const SEALED: u8 = 1;
/// As a share writes it, in two bytes.
const LAST: u32 = u16::MAX as u32;

/// What people bring to open the root key.
#[derive(Clone, Copy)]
pub enum Opener<'o> {
    /// The passphrase.
    Passphrase(&'o Passphrase),
    /// Shares of several people.
    Shares(&'o Shares),
}

/// What [`Opener`] borrows.
pub enum Means {
    /// The passphrase.
    Passphrase(Passphrase),
    /// Shares of several people.
    Shares(Shares),
}

/// How the root key is to open from now on.
#[derive(Clone, Copy)]
pub enum Choice<'c> {
    /// By a passphrase.
    Passphrase(&'c Passphrase),
    /// By so many of so many shares.
    Shares(Scheme),
}

/// How the root key was opened. It holds no secret: the log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// In which way.
    pub by: OpensBy,
    /// Which wrapping of the root key: 1 in a new vault, one more with each change of holders or way.
    pub generation: u32,
    /// The numbers of the shares, sorted; none in other ways.
    pub shares: Vec<u8>,
}

/// A root key wrapped in another way, for the key store; and the shares that open it, if that is the way.
pub struct Wrapped {
    /// What the key store keeps.
    pub row: UnlockRow,
    /// All of them, or none. The vault keeps none.
    pub shares: Shares,
}

impl Wrapped {
    /// What opens it, when it was made in this way.
    #[must_use]
    pub const fn opener<'o>(&'o self, choice: Choice<'o>) -> Opener<'o> {
        match choice {
            Choice::Passphrase(passphrase) => Opener::Passphrase(passphrase),
            Choice::Shares(_) => Opener::Shares(&self.shares),
        }
    }
}

impl<'o> From<&'o Passphrase> for Opener<'o> {
    fn from(passphrase: &'o Passphrase) -> Self {
        Self::Passphrase(passphrase)
    }
}

impl<'o> From<&'o Shares> for Opener<'o> {
    fn from(shares: &'o Shares) -> Self {
        Self::Shares(shares)
    }
}

impl<'o> From<&'o Means> for Opener<'o> {
    fn from(means: &'o Means) -> Self {
        match means {
            Means::Passphrase(passphrase) => Self::Passphrase(passphrase),
            Means::Shares(shares) => Self::Shares(shares),
        }
    }
}

impl<'c> From<&'c Passphrase> for Choice<'c> {
    fn from(passphrase: &'c Passphrase) -> Self {
        Self::Passphrase(passphrase)
    }
}

impl Opener<'_> {
    const fn by(self) -> OpensBy {
        match self {
            Self::Passphrase(_) => OpensBy::Passphrase,
            Self::Shares(_) => OpensBy::Shares,
        }
    }

    /// Whether this is for the vault that this key store is of, in the way that it opens now. That it opens is not said.
    ///
    /// # Errors
    /// [`KeyError::OtherWay`]; for shares as [`Share::fits`].
    pub fn fits(self, vault: &VaultRow, ways: &[UnlockRow]) -> Result<(), KeyError> {
        match self {
            Self::Shares(shares) => shares.iter().try_for_each(|share| share.fits(vault, ways)),
            Self::Passphrase(_) => of_way(self.by(), ways).map(|_| ()),
        }
    }
}

/// The wrapping that opens in this way.
fn of_way(by: OpensBy, ways: &[UnlockRow]) -> Result<&UnlockRow, KeyError> {
    let found = ways.iter().find(|row| row.way == by);
    let other = || ways.last().map_or(KeyError::Broken, |row| KeyError::OtherWay(row.way));
    found.ok_or_else(other)
}

/// Opens the root key.
///
/// # Errors
/// [`KeyError::WrongPassphrase`], [`KeyError::WrongShares`] and the like; [`KeyError::OtherWay`]; [`KeyError::WeakParameters`].
pub(super) fn open_root(
    stacks: &Stacks,
    origin: &str,
    opener: Opener<'_>,
    ways: &[UnlockRow],
) -> Result<(Secret, Opened), KeyError> {
    let row = of_way(opener.by(), ways)?;
    let (unlocking, wrong) = match opener {
        Opener::Passphrase(passphrase) => (
            argon::unlocking_key(stacks, passphrase, row)?,
            KeyError::WrongPassphrase,
        ),
        Opener::Shares(shares) => (shares.unlocking_key(stacks, row)?, KeyError::WrongShares),
    };
    let mut root = Secret::empty()?;
    let (key, aad) = (unlocking.bytes(), place(origin, row));
    stacks
        .run(|| aead::open_key(key, SEALED, &aad, &row.wrapped_root, root.bytes_mut()))?
        .map_err(|_| wrong)?;
    let opened = Opened {
        by: row.way,
        generation: row.generation,
        shares: match opener {
            Opener::Passphrase(_) => Vec::new(),
            Opener::Shares(shares) => shares.used(row.threshold),
        },
    };
    Ok((root, opened))
}

/// Wraps the root key in the way that was chosen, and opens it again by what was made: it is given to nobody otherwise.
///
/// # Errors
/// Without randomness or lockable memory; [`KeyError::NoGenerationLeft`].
pub(super) fn wrap_root(
    stacks: &Stacks,
    vault: &VaultRow,
    root: &[u8; KEY_LEN],
    (choice, generation): (Choice<'_>, u32),
    randomness: &dyn Randomness,
) -> Result<Wrapped, KeyError> {
    if generation > LAST {
        return Err(KeyError::NoGenerationLeft);
    }
    let mut row = UnlockRow {
        generation,
        ..UnlockRow::none()
    };
    let mut shares = Shares::default();
    let unlocking = match choice {
        Choice::Passphrase(passphrase) => {
            argon::choose(&mut row, randomness)?;
            argon::unlocking_key(stacks, passphrase, &row)?
        }
        Choice::Shares(scheme) => {
            scheme.choose(&mut row);
            let key = Secret::random(randomness)?;
            shares = Shares::split(stacks, &key, &row, vault, randomness)?;
            key
        }
    };
    let (key, aad) = (unlocking.bytes(), place(&vault.origin, &row));
    row.wrapped_root = stacks.run(|| aead::seal(randomness, key, SEALED, &aad, root))??;
    let wrapped = Wrapped { row, shares };
    let ways = std::slice::from_ref(&wrapped.row);
    let (again, _) = open_root(stacks, &vault.origin, wrapped.opener(choice), ways)?;
    if again.bytes() != root {
        return Err(KeyError::Broken);
    }
    Ok(wrapped)
}

/// A new vault's way.
pub(super) fn wrap_first(
    stacks: &Stacks,
    vault: &VaultRow,
    root: &Secret,
    choice: Choice<'_>,
    randomness: &dyn Randomness,
) -> Result<Wrapped, KeyError> {
    wrap_root(
        stacks,
        vault,
        root.bytes(),
        (choice, UnlockRow::none().generation),
        randomness,
    )
}

/// What the wrapped root key is bound to. A key that is derived from a passphrase follows from the row's other columns already.
fn place(origin: &str, row: &UnlockRow) -> Vec<u8> {
    match row.way {
        OpensBy::Passphrase => place::root(origin),
        OpensBy::Shares => place::root_by_shares(origin, row.generation, [row.threshold, row.shares]),
    }
}
