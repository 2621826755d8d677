//! From a passphrase to the key that opens the root key (Argon2id, RFC 9106).

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroizing;

use crate::keyring::KeyError;
use crate::keyring::memory::{KEY_LEN, Secret};
use crate::keyring::passphrase::Passphrase;
use crate::keyring::stack::Stacks;
use crate::randomness::Randomness;
use crate::store::rows::UnlockRow;

/// The least memory accepted, in KiB.
pub const LEAST_MEMORY_KIB: u32 = 64 * 1024;
/// The least number of passes accepted.
pub const LEAST_PASSES: u32 = 3;
const MOST_MEMORY_KIB: u32 = 4 * 1024 * 1024;
const MOST_PASSES: u32 = 64;
const MOST_LANES: u32 = 16;
const SALT_LEN: usize = 16;

/// A new salt, and the parameters of today.
pub(super) fn choose(row: &mut UnlockRow, randomness: &dyn Randomness) -> Result<(), KeyError> {
    row.salt = vec![0; SALT_LEN];
    randomness.fill(&mut row.salt)?;
    (row.memory_kib, row.passes, row.lanes) = (LEAST_MEMORY_KIB, LEAST_PASSES, 1);
    Ok(())
}

pub(super) fn unlocking_key(stacks: &Stacks, passphrase: &Passphrase, way: &UnlockRow) -> Result<Secret, KeyError> {
    let memory = (LEAST_MEMORY_KIB..=MOST_MEMORY_KIB).contains(&way.memory_kib);
    let passes = (LEAST_PASSES..=MOST_PASSES).contains(&way.passes);
    let lanes = (1..=MOST_LANES).contains(&way.lanes);
    // Too little is guessed by others; too much, written by somebody else, keeps the vault from ever starting.
    if !memory || !passes || !lanes || way.salt.len() < SALT_LEN {
        return Err(KeyError::WeakParameters);
    }
    let params =
        Params::new(way.memory_kib, way.passes, way.lanes, Some(KEY_LEN)).map_err(|_| KeyError::WeakParameters)?;
    // The last blocks give the key away. They are too many to be locked, and are wiped.
    let mut blocks = Zeroizing::new(vec![Block::new(); params.block_count()]);
    let mut key = Secret::empty()?;
    stacks
        .run(|| {
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            argon2.hash_password_into_with_memory(passphrase.bytes(), &way.salt, key.bytes_mut(), blocks.as_mut_slice())
        })?
        .map_err(|_| KeyError::WeakParameters)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each would otherwise keep the start waiting for hours, or take all memory.
    #[test]
    fn absurd_parameters_are_refused_before_they_are_tried() {
        let passphrase = Passphrase::new(Zeroizing::new("correct horse battery staple".to_owned())).unwrap();
        let way = UnlockRow {
            salt: vec![7; SALT_LEN],
            memory_kib: LEAST_MEMORY_KIB,
            passes: LEAST_PASSES,
            lanes: 1,
            ..UnlockRow::none()
        };
        let absurd = [
            UnlockRow {
                passes: u32::MAX,
                ..way.clone()
            },
            UnlockRow {
                passes: MOST_PASSES + 1,
                ..way.clone()
            },
            UnlockRow {
                memory_kib: MOST_MEMORY_KIB + 1,
                ..way.clone()
            },
            UnlockRow {
                passes: LEAST_PASSES - 1,
                ..way.clone()
            },
            UnlockRow {
                memory_kib: LEAST_MEMORY_KIB - 1,
                ..way
            },
        ];
        for way in absurd {
            let refused = unlocking_key(&Stacks::default(), &passphrase, &way).err();
            assert_eq!(refused, Some(KeyError::WeakParameters));
        }
    }
}
