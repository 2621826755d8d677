//! Shares that belong together, and the key that enough of them give.

use serde::Serialize;

use super::share::Mark;
use super::{OpensBy, Share, shamir};
use crate::keyring::KeyError;
use crate::keyring::memory::Secret;
use crate::keyring::stack::Stacks;
use crate::randomness::Randomness;
use crate::store::rows::{UnlockRow, VaultRow};

/// How many shares there are, and how many of them it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    threshold: u8,
    shares: u8,
}

impl Scheme {
    /// Takes 2 to 255 shares, and a threshold of 2 to as many as there are: with 1 each of the holders would open the vault alone.
    ///
    /// # Errors
    /// [`KeyError::BadScheme`].
    pub const fn new(threshold: u8, shares: u8) -> Result<Self, KeyError> {
        if threshold < 2 || threshold > shares {
            return Err(KeyError::BadScheme);
        }
        Ok(Self { threshold, shares })
    }

    /// How many shares there are.
    #[must_use]
    pub const fn shares(self) -> u8 {
        self.shares
    }

    /// How many of them it takes.
    #[must_use]
    pub const fn threshold(self) -> u8 {
        self.threshold
    }

    pub(super) const fn choose(self, row: &mut UnlockRow) {
        row.way = OpensBy::Shares;
        row.threshold = self.threshold;
        row.shares = self.shares;
    }
}

/// How many shares are in. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Progress {
    /// The numbers of the shares that are in, sorted. Whether they are right is seen when they are enough.
    pub shares_in: Vec<u8>,
    /// How many it takes.
    pub threshold: u8,
}

impl std::fmt::Display for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.shares_in.len(), self.threshold)
    }
}

/// Shares of one vault and one generation, each once. Wiped when dropped. No `Debug`, no `Clone`.
#[derive(Default)]
pub struct Shares {
    given: Vec<Share>,
}

impl Shares {
    /// Adds a share, and says how many there are now.
    ///
    /// # Errors
    /// [`KeyError::DuplicateShare`]; [`KeyError::ShareOfOthers`] where it is of another vault, threshold or generation than those that are
    /// there. They stay.
    pub fn add(&mut self, share: Share) -> Result<Progress, KeyError> {
        let number = share.number();
        let others = |other: &Share| Mark { number, ..other.mark } == share.mark;
        if !self.given.iter().all(others) {
            return Err(KeyError::ShareOfOthers);
        }
        if self.given.iter().any(|other| other.number() == number) {
            return Err(KeyError::DuplicateShare(number));
        }
        let threshold = share.mark.threshold;
        self.given.push(share);
        Ok(Progress {
            shares_in: self.numbers(),
            threshold,
        })
    }

    /// Whether there are enough.
    #[must_use]
    pub fn are_enough(&self) -> bool {
        let first = self.given.first();
        first.is_some_and(|first| self.given.len() >= usize::from(first.mark.threshold))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Share> {
        self.given.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    /// The numbers of all, sorted.
    fn numbers(&self) -> Vec<u8> {
        self.used(u8::MAX)
    }

    /// The numbers of those that [`Self::unlocking_key`] takes, sorted.
    pub(super) fn used(&self, threshold: u8) -> Vec<u8> {
        let used = self.given.iter().take(threshold.into());
        let mut numbers: Vec<u8> = used.map(Share::number).collect();
        numbers.sort_unstable();
        numbers
    }

    /// Shares of the key that opens the wrapping of this row, as many as it says.
    pub(super) fn split(
        stacks: &Stacks,
        key: &Secret,
        row: &UnlockRow,
        vault: &VaultRow,
        randomness: &dyn Randomness,
    ) -> Result<Self, KeyError> {
        let generation = u16::try_from(row.generation).map_err(|_| KeyError::NoGenerationLeft)?;
        let mut values = Vec::with_capacity(row.shares.into());
        for _ in 0..row.shares {
            values.push(Secret::empty()?);
        }
        stacks.run(|| shamir::split(key.bytes(), row.threshold, &mut values, randomness))??;
        let mark = |number| Mark {
            vault: Mark::of_vault(vault),
            generation,
            set: Mark::of_wrapping(row),
            threshold: row.threshold,
            number,
        };
        let share = |(number, value)| Share {
            mark: mark(number),
            value,
        };
        let given = (1..=u8::MAX).zip(values).map(share).collect();
        Ok(Self { given })
    }

    /// The key that the first of them give, as many as it takes.
    pub(super) fn unlocking_key(&self, stacks: &Stacks, row: &UnlockRow) -> Result<Secret, KeyError> {
        let (have, need) = (self.given.len(), usize::from(row.threshold));
        if have < need || need < 2 {
            return Err(KeyError::TooFewShares);
        }
        let mut key = Secret::empty()?;
        let points = self.given.iter().take(need);
        let points = points.map(|share| (share.number(), share.value.bytes()));
        stacks.run(|| shamir::combine(points, &mut key))??;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::System;
    use crate::store::rows::One;

    fn vault(id: u8) -> VaultRow {
        VaultRow {
            one: One,
            vault: [id; 16],
            origin: "a.example/log/1".to_owned(),
        }
    }

    fn split(vault: &VaultRow, scheme: Scheme, generation: u32) -> (Vec<Share>, UnlockRow) {
        let mut row = UnlockRow {
            generation,
            ..UnlockRow::none()
        };
        scheme.choose(&mut row);
        let row = row.with_root(vec![1]);
        let (stacks, key) = (Stacks::default(), Secret::random(&System).unwrap());
        let shares = Shares::split(&stacks, &key, &row, vault, &System).ok().unwrap();
        (shares.given, row)
    }

    #[test]
    fn a_scheme_has_a_threshold_of_two_to_all() {
        for (threshold, shares) in [(2, 2), (2, 255), (255, 255), (3, 5)] {
            assert!(Scheme::new(threshold, shares).is_ok());
        }
        for (threshold, shares) in [(0, 0), (0, 5), (1, 5), (6, 5), (1, 1), (2, 1), (255, 254)] {
            assert_eq!(Scheme::new(threshold, shares), Err(KeyError::BadScheme));
        }
    }

    #[test]
    fn what_does_not_belong_to_the_others_is_named_and_they_stay() {
        let scheme = Scheme::new(3, 5).unwrap();
        let (mine, _) = split(&vault(1), scheme, 1);
        let mut mine = mine.into_iter();
        let mut set = Shares::default();
        assert!(!set.are_enough() && set.is_empty());
        let progress = set.add(mine.next_back().unwrap()).unwrap();
        assert_eq!((progress.shares_in, progress.threshold), (vec![5], 3));
        let others = [
            split(&vault(2), scheme, 1),
            split(&vault(1), scheme, 2),
            split(&vault(1), Scheme::new(2, 5).unwrap(), 1),
        ];
        for (mut shares, _) in others {
            assert_eq!(set.add(shares.remove(0)).err(), Some(KeyError::ShareOfOthers));
        }
        let (mut again, _) = split(&vault(1), scheme, 1);
        assert_eq!(set.add(again.remove(4)).err(), Some(KeyError::DuplicateShare(5)));
        assert_eq!(set.add(mine.next().unwrap()).unwrap().to_string(), "2 of 3");
        assert!(!set.are_enough());
        assert_eq!(set.add(mine.next().unwrap()).unwrap().shares_in, [1, 2, 5]);
        assert!(set.are_enough());
    }

    #[test]
    fn a_share_says_which_vault_and_generation_it_is_of() {
        let scheme = Scheme::new(2, 3).unwrap();
        let (shares, row) = split(&vault(1), scheme, 2);
        let of = |generation| UnlockRow {
            generation,
            ..row.clone()
        };
        let fits = |vault: &VaultRow, row: UnlockRow| shares[2].fits(vault, &[row]);
        assert_eq!(fits(&vault(1), of(2)), Ok(()));
        assert_eq!(fits(&vault(2), of(2)), Err(KeyError::ForeignShare));
        assert_eq!(fits(&vault(1), of(3)), Err(KeyError::OlderShare { of: 2, now: 3 }));
        assert_eq!(fits(&vault(1), of(1)), Err(KeyError::NewerShare { of: 2, now: 1 }));
        let fewer = UnlockRow { shares: 2, ..of(2) };
        assert_eq!(fits(&vault(1), fewer), Err(KeyError::ForeignShare));
        let other = of(2).with_root(vec![7]);
        assert_eq!(fits(&vault(1), other), Err(KeyError::ShareOfOtherSet(2)));
        let damaged = UnlockRow {
            wrapped_root: vec![7],
            ..of(2)
        };
        assert_eq!(fits(&vault(1), damaged), Err(KeyError::RootDamaged));
        let by_passphrase = UnlockRow {
            generation: 3,
            ..UnlockRow::none()
        };
        assert_eq!(
            fits(&vault(1), by_passphrase.clone()),
            Err(KeyError::OlderShare { of: 2, now: 3 })
        );
        let by_passphrase = UnlockRow {
            generation: 2,
            ..by_passphrase
        };
        assert_eq!(
            fits(&vault(1), by_passphrase),
            Err(KeyError::OtherWay(OpensBy::Passphrase))
        );
    }
}
