//! How the root key opens ([0036](../../../docs/decisions/0036-how-the-root-key-opens.md)).
//!
//! The root key is random and stays the same. It lies in the key store wrapped by another key, and a *way* says where that one comes
//! from. Each way is a variant of [`OpensBy`], of [`Choice`] (how it is to open from now on) and of [`Opener`] (what people bring), and
//! a module here. Each time that holders or the way change, the root key is wrapped anew, under the next *generation*.

mod argon;
mod hsm;
mod shamir;
mod share;
mod shares;

use super::memory::{KEY_LEN, Secret};
use super::passphrase::Passphrase;
use super::stack::Stacks;
use super::suites::{Key, Suite};
use super::{KeyError, aead, place};
pub use crate::model::unlocking::OpensBy;
use crate::randomness::Randomness;
use crate::store::rows::{UnlockRow, VaultRow};

pub use self::argon::{LEAST_MEMORY_KIB, LEAST_PASSES};
pub use self::hsm::{Hsm, HsmKey};
pub use self::share::Share;
pub use self::shares::{Progress, Scheme, Shares};

/// The generation in the header of a sealed root key, which is that of its format.
const SEALED: u8 = 1;
/// Of the root key under the key that a passphrase or shares give. It is the same in every vault: Argon2id and Shamir's scheme, which give
/// that key, are of no suite.
const ROOT_SUITE: Suite = Suite::Aes;
/// As a share writes it, in two bytes.
const LAST: u32 = u16::MAX as u32;

/// What people bring to open the root key.
#[derive(Clone, Copy)]
pub enum Opener<'o> {
    /// The passphrase.
    Passphrase(&'o Passphrase),
    /// Shares of several people.
    Shares(&'o Shares),
    /// A hardware module and its PIN.
    Hsm(&'o Hsm),
}

/// What [`Opener`] borrows.
pub enum Means {
    /// The passphrase.
    Passphrase(Passphrase),
    /// Shares of several people.
    Shares(Shares),
    /// A hardware module and its PIN.
    Hsm(Hsm),
}

/// How the root key is to open from now on.
#[derive(Clone, Copy)]
pub enum Choice<'c> {
    /// By a passphrase.
    Passphrase(&'c Passphrase),
    /// By so many of so many shares.
    Shares(Scheme),
    /// By a key of a hardware module.
    Hsm(&'c HsmKey),
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
    /// Which set they are of.
    pub set: Option<String>,
}

impl UnlockRow {
    /// What the log calls the set of shares that opens the root key, if it is opened by shares.
    #[must_use]
    pub fn set_of_shares(&self) -> Option<String> {
        let name = || data_encoding::HEXLOWER.encode(&share::Mark::of_wrapping(self));
        (self.way == OpensBy::Shares).then(name)
    }
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
            Choice::Hsm(key) => Opener::Hsm(&key.hsm),
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
            Means::Hsm(hsm) => Self::Hsm(hsm),
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
            Self::Hsm(_) => OpensBy::Pkcs11,
        }
    }

    /// Whether this is for the vault that this key store is of, in the way that it opens now. That it opens is not said.
    ///
    /// # Errors
    /// [`KeyError::OtherWay`]; [`KeyError::RootDamaged`]; for shares as [`Share::fits`].
    pub fn fits(self, vault: &VaultRow, ways: &[UnlockRow]) -> Result<(), KeyError> {
        match self {
            Self::Shares(shares) => shares.iter().try_for_each(|share| share.fits(vault, ways)),
            Self::Passphrase(_) | Self::Hsm(_) => of_way(self.by(), ways).map(|_| ()),
        }
    }
}

/// The wrapping that opens in this way, if it is undamaged: what people bring would be told to be wrong otherwise.
fn of_way(by: OpensBy, ways: &[UnlockRow]) -> Result<&UnlockRow, KeyError> {
    let found = ways.iter().find(|row| row.way == by);
    let other = || ways.last().map_or(KeyError::Broken, |row| KeyError::OtherWay(row.way));
    let row = found.ok_or_else(other)?;
    row.is_whole().then_some(row).ok_or(KeyError::RootDamaged)
}

/// Opens the root key.
///
/// # Errors
/// [`KeyError::WrongPassphrase`], [`KeyError::WrongShares`] and the like; [`KeyError::OtherWay`]; [`KeyError::RootDamaged`];
/// [`KeyError::WeakParameters`].
pub(super) fn open_root(
    stacks: &Stacks,
    origin: &str,
    opener: Opener<'_>,
    ways: &[UnlockRow],
) -> Result<(Secret, Opened), KeyError> {
    let row = of_way(opener.by(), ways)?;
    let mut opened = Opened {
        by: row.way,
        generation: row.generation,
        shares: Vec::new(),
        set: row.set_of_shares(),
    };
    let root = match opener {
        Opener::Passphrase(passphrase) => {
            let unlocking = argon::unlocking_key(stacks, passphrase, row)?;
            open_by(stacks, &unlocking, (origin, row)).map_err(|_| KeyError::WrongPassphrase)?
        }
        Opener::Shares(shares) => {
            let unlocking = shares.unlocking_key(stacks, row)?;
            opened.shares = shares.used(row.threshold);
            open_by(stacks, &unlocking, (origin, row)).map_err(|_| KeyError::WrongShares)?
        }
        Opener::Hsm(hsm) => hsm::open(hsm, &place(origin, row), row)?,
    };
    Ok((root, opened))
}

/// Opens the root key by a key of ours.
fn open_by(stacks: &Stacks, unlocking: &Secret, (origin, row): (&str, &UnlockRow)) -> Result<Secret, KeyError> {
    let mut root = Secret::empty()?;
    let (key, aad) = (Key::of(ROOT_SUITE, unlocking.bytes()), place(origin, row));
    stacks.run(|| aead::open_key(key, SEALED, &aad, &row.wrapped_root, root.bytes_mut()))??;
    Ok(root)
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
    let mut apart = None;
    let seal = |unlocking: &Secret, row: &UnlockRow| {
        let (key, aad) = (Key::of(ROOT_SUITE, unlocking.bytes()), place(&vault.origin, row));
        stacks.run(|| aead::seal(randomness, key, SEALED, &aad, root))?
    };
    let wrapped_root = match choice {
        Choice::Passphrase(passphrase) => {
            argon::choose(&mut row, randomness)?;
            seal(&argon::unlocking_key(stacks, passphrase, &row)?, &row)?
        }
        Choice::Shares(scheme) => {
            scheme.choose(&mut row);
            let key = Secret::random(randomness)?;
            let sealed = seal(&key, &row)?;
            apart = Some(key);
            sealed
        }
        Choice::Hsm(key) => {
            key.choose(&mut row);
            hsm::seal(&key.hsm, &place(&vault.origin, &row), &row, root, randomness)?
        }
    };
    let row = row.with_root(wrapped_root);
    let shares = match apart {
        Some(key) => Shares::split(stacks, &key, &row, vault, randomness)?,
        None => Shares::default(),
    };
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
        OpensBy::Pkcs11 => place::root_by_hsm(origin, row.generation, [&row.token, &row.key_label]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::System;
    use crate::store::rows::One;

    /// Enough shares for any threshold, so that nothing else stands against an edited row.
    #[test]
    fn a_root_key_opens_by_the_row_that_it_was_wrapped_for_and_by_no_other() {
        let vault = VaultRow {
            one: One,
            vault: [1; 16],
            origin: "a.example/log/1".to_owned(),
        };
        let (stacks, root) = (Stacks::default(), Secret::random(&System).unwrap());
        let scheme = Scheme::new(2, 3).unwrap();
        let wrapped = wrap_first(&stacks, &vault, &root, Choice::Shares(scheme), &System)
            .ok()
            .unwrap();
        let open = |origin, row| {
            let opened = open_root(&stacks, origin, Opener::Shares(&wrapped.shares), &[row]);
            opened.map(|(opened, _)| opened.bytes() == root.bytes())
        };
        let row = || wrapped.row.clone();
        assert_eq!(open(&vault.origin, row()), Ok(true));
        assert_eq!(open("b.example/log/1", row()), Err(KeyError::WrongShares));
        let threshold = UnlockRow { threshold: 3, ..row() };
        let shares = UnlockRow { shares: 4, ..row() };
        let generation = UnlockRow { generation: 2, ..row() };
        for edited in [threshold, shares, generation] {
            assert_eq!(open(&vault.origin, edited), Err(KeyError::WrongShares));
        }
        // Any byte of what is wrapped: neither are the shares wrong, nor are they of another set.
        for at in 0..row().wrapped_root.len() {
            let mut damaged = row();
            damaged.wrapped_root[at] ^= 1;
            let first = wrapped.shares.iter().next().unwrap();
            let fits = first.fits(&vault, std::slice::from_ref(&damaged));
            assert_eq!(fits, Err(KeyError::RootDamaged));
            assert_eq!(open(&vault.origin, damaged), Err(KeyError::RootDamaged));
        }
    }
}
