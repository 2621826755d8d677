//! Shamir's scheme over GF(2⁸), byte by byte. The arithmetic is the crate's (`vsss-rs`): constant in time, without tables, and its
//! coefficients are drawn from all 256 values alike. Polynomials and points lie on a key stack here, where the crate's own functions
//! for bytes would leave them in memory that nobody wipes.

use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};
use vsss_rs::{DefaultShare, Gf256, IdentifierGf256, Polynomial, ReadableShareSet};

use crate::keyring::KeyError;
use crate::keyring::memory::{KEY_LEN, Secret};
use crate::randomness::{NoRandomness, Randomness};

/// As many as the field has points beside the secret's.
const MOST: usize = 255;

/// A coefficient, or a point and the value there.
type Point = DefaultShare<IdentifierGf256, IdentifierGf256>;

const fn element(byte: u8) -> IdentifierGf256 {
    IdentifierGf256(Gf256(byte))
}

/// Fills in the values at the points 1, 2, 3 … of one polynomial for each byte of the secret, which is the value at 0. Called on a key
/// stack.
///
/// # Errors
/// [`KeyError::NoRandomness`]: the values are of no use then.
pub(super) fn split(
    secret: &[u8; KEY_LEN],
    threshold: u8,
    values: &mut [Secret],
    randomness: &dyn Randomness,
) -> Result<(), KeyError> {
    let mut drawn = Drawn {
        randomness,
        failed: None,
    };
    let mut polynomial = <[Point; MOST] as Polynomial<Point>>::create(MOST);
    for (at, byte) in secret.iter().enumerate() {
        polynomial
            .fill(&element(*byte), &mut drawn, threshold.into())
            .map_err(|_| KeyError::BadScheme)?;
        for (number, value) in (1..=u8::MAX).zip(values.iter_mut()) {
            let mut point = element(0);
            polynomial.evaluate_in_place(&element(number), threshold.into(), &mut point);
            if let Some(to) = value.bytes_mut().get_mut(at) {
                *to = point.0.0;
            }
        }
    }
    drawn.failed.map_or(Ok(()), |none| Err(none.into()))
}

/// The secret that polynomials through these points have at 0. Called on a key stack.
pub(super) fn combine<'s>(
    shares: impl Iterator<Item = (u8, &'s [u8; KEY_LEN])> + Clone,
    secret: &mut Secret,
) -> Result<(), KeyError> {
    for (at, to) in secret.bytes_mut().iter_mut().enumerate() {
        let mut points = [Point::default(); MOST];
        let mut count = 0;
        for (point, (number, value)) in points.iter_mut().zip(shares.clone()) {
            point.identifier = element(number);
            point.value = element(value.get(at).copied().unwrap_or_default());
            count += 1;
        }
        let points = points.get(..count).unwrap_or_default();
        let mut byte = element(0);
        ReadableShareSet::<Point>::combine_in_place(&points, &mut byte).map_err(|_| KeyError::WrongShares)?;
        *to = byte.0.0;
    }
    Ok(())
}

/// Random bytes as the crate takes them, which knows no failure: one is told at the end.
struct Drawn<'r> {
    randomness: &'r dyn Randomness,
    failed: Option<NoRandomness>,
}

impl TryRng for Drawn<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        if let Err(none) = self.randomness.fill(bytes) {
            self.failed = Some(none);
        }
        Ok(())
    }
}

impl TryCryptoRng for Drawn<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::stack::Stacks;
    use crate::randomness::System;

    fn shared(secret: [u8; KEY_LEN], threshold: u8, count: usize) -> Vec<[u8; KEY_LEN]> {
        let mut values: Vec<Secret> = (0..count).map(|_| Secret::empty().unwrap()).collect();
        let stacks = Stacks::default();
        stacks
            .run(|| split(&secret, threshold, &mut values, &System))
            .unwrap()
            .unwrap();
        values.iter().map(|value| *value.bytes()).collect()
    }

    fn combined(points: &[(u8, [u8; KEY_LEN])]) -> [u8; KEY_LEN] {
        let mut secret = Secret::empty().unwrap();
        let points = points.iter().map(|(number, value)| (*number, value));
        combine(points, &mut secret).unwrap();
        *secret.bytes()
    }

    /// Multiplication in the field of AES (FIPS 197 §4.2), by the book.
    fn times(mut a: u8, mut b: u8) -> u8 {
        let mut product = 0;
        while b != 0 {
            if b & 1 != 0 {
                product ^= a;
            }
            a = (a << 1) ^ if a & 0x80 != 0 { 0x1b } else { 0 };
            b >>= 1;
        }
        product
    }

    /// By another implementation: f(0) = Σ yᵢ Π xⱼ / (xⱼ − xᵢ), with the inverse found by trying all.
    #[test]
    fn the_secret_is_what_lagrange_gives() {
        let secret = std::array::from_fn(|at| u8::try_from(at * 7).unwrap());
        let values = shared(secret, 3, 5);
        for at in 0..KEY_LEN {
            let points: Vec<(u8, u8)> = (1..).zip(&values).map(|(x, value)| (x, value[at])).collect();
            for of in [[0, 1, 2], [4, 2, 0], [1, 3, 4]] {
                let mut sum = 0;
                for i in of {
                    let mut term = points[i].1;
                    for j in of.into_iter().filter(|j| *j != i) {
                        let distance = points[j].0 ^ points[i].0;
                        let inverse = (1..=255).find(|one| times(*one, distance) == 1).unwrap();
                        term = times(term, times(points[j].0, inverse));
                    }
                    sum ^= term;
                }
                assert_eq!(sum, secret[at]);
            }
        }
    }

    #[test]
    fn as_many_as_the_threshold_and_no_fewer() {
        for (threshold, count) in [(2, 2), (2, 255), (3, 5), (255, 255)] {
            let secret = [threshold; KEY_LEN];
            let values = shared(secret, threshold, count);
            let points: Vec<(u8, [u8; KEY_LEN])> = (1..=255).zip(values).collect();
            let enough = usize::from(threshold);
            assert_eq!(combined(&points[count - enough..]), secret, "{threshold} of {count}");
            if enough > 2 {
                assert_ne!(combined(&points[..enough - 1]), secret, "{threshold} of {count}");
            }
        }
    }

    /// A coefficient that is never 0, or always odd, tells something of the secret to those who hold fewer shares than it takes: with a
    /// threshold of 2 the value at 1 is the secret plus the coefficient.
    #[test]
    fn one_share_tells_nothing_of_the_secret() {
        let mut seen = [0_u32; 256];
        for _ in 0..1000 {
            for value in shared([0; KEY_LEN], 2, 1)[0] {
                seen[usize::from(value)] += 1;
            }
        }
        // 32,000 draws of 256 values: 125 of each, with a standard deviation of 11.
        assert!(seen.iter().all(|count| (40..=250).contains(count)), "{seen:?}");
    }

    struct Nothing;

    impl Randomness for Nothing {
        fn fill(&self, _: &mut [u8]) -> Result<(), NoRandomness> {
            Err(NoRandomness)
        }
    }

    #[test]
    fn without_randomness_there_are_no_shares() {
        let mut values = [Secret::empty().unwrap(), Secret::empty().unwrap()];
        let split = split(&[1; KEY_LEN], 2, &mut values, &Nothing);
        assert_eq!(split, Err(KeyError::NoRandomness(NoRandomness)));
    }
}
