//! Checking proofs (RFC 9162 §2.1.3.2 and §2.1.4.2).
//!
//! A proof binds hashes, not sizes: the same one may hold for trees of several sizes that share their shape above the
//! leaf. A size and a root therefore come from one verified checkpoint, never from whoever brings the proof.

use super::proof::check_size;
use super::{BadProof, Hash, node_hash};

/// Checks that the leaf of hash `leaf` stands at `index` in the tree of `size` leaves with that root
/// (RFC 9162 §2.1.3.2).
///
/// # Errors
/// As [`root_from_inclusion`], and [`BadProof::Root`] if the proof leads to another root.
pub fn verify_inclusion(index: u64, size: u64, leaf: &Hash, proof: &[Hash], root: &Hash) -> Result<(), BadProof> {
    same(&root_from_inclusion(index, size, leaf, proof)?, root)
}

/// The root of the tree of `size` leaves in which `proof` puts the leaf of hash `leaf` at `index`
/// (RFC 9162 §2.1.3.2). It says nothing until compared with a root known from elsewhere.
///
/// # Errors
/// [`BadProof::Range`] unless `index` is below `size`; [`BadProof::Size`] above 2^63 − 1; [`BadProof::Length`] unless
/// the proof has a hash for each step to the root.
pub fn root_from_inclusion(index: u64, size: u64, leaf: &Hash, proof: &[Hash]) -> Result<Hash, BadProof> {
    check_size(size)?;
    if index >= size {
        return Err(BadProof::Range);
    }
    let mut climb = Climb {
        node: index,
        last: size - 1,
    };
    let mut hash = *leaf;
    for sibling in proof {
        hash = match climb.step()? {
            Side::Left => node_hash(sibling, &hash),
            Side::Right => node_hash(&hash, sibling),
        };
    }
    climb.finish()?;
    Ok(hash)
}

/// Checks that the tree of `new` leaves with root `new_root` begins with the tree of `old` leaves with root `old_root`
/// (RFC 9162 §2.1.4.2). For `old` = `new` the proof is empty and the roots are the same.
///
/// # Errors
/// [`BadProof::Range`] if `old` is above `new`, or 0: every tree begins with the empty one, so that a proof from there
/// says nothing about `new_root`; [`BadProof::Size`] if `new` is above 2^63 − 1; [`BadProof::Length`] unless the proof
/// has a hash for each step to the root; [`BadProof::Root`] if it leads to another root than either.
pub fn verify_consistency(
    old: u64,
    new: u64,
    proof: &[Hash],
    old_root: &Hash,
    new_root: &Hash,
) -> Result<(), BadProof> {
    check_size(new)?;
    if old == 0 || old > new {
        return Err(BadProof::Range);
    }
    let (first, rest) = if old == new || old.is_power_of_two() {
        // The old tree is itself a node of the new one, and known.
        (old_root, proof)
    } else {
        proof.split_first().ok_or(BadProof::Length)?
    };
    let mut climb = Climb::from_largest_ending_at(old, new);
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in rest {
        match climb.step()? {
            Side::Left => {
                old_hash = node_hash(sibling, &old_hash);
                new_hash = node_hash(sibling, &new_hash);
            }
            Side::Right => new_hash = node_hash(&new_hash, sibling),
        }
    }
    climb.finish()?;
    same(&old_hash, old_root)?;
    same(&new_hash, new_root)
}

/// A way up the tree: the number of a node among those of its height, and of the last of them. `fn` and `sn` of
/// RFC 9162.
struct Climb {
    node: u64,
    last: u64,
}

/// Where a node's sibling stands.
enum Side {
    Left,
    Right,
}

impl Climb {
    /// Starts at the largest perfect subtree of the new tree that ends where the old one does; at the root if the two
    /// trees are one.
    fn from_largest_ending_at(old: u64, new: u64) -> Self {
        if old == new {
            return Self { node: 0, last: 0 };
        }
        let height = (old - 1).trailing_ones();
        Self {
            node: (old - 1) >> height,
            last: (new - 1) >> height,
        }
    }

    /// One step up, past the sibling on this side. There is none above the root.
    fn step(&mut self) -> Result<Side, BadProof> {
        if self.last == 0 {
            return Err(BadProof::Length);
        }
        let side = if self.node % 2 == 1 || self.node == self.last {
            // At the right edge a node without a sibling is its own parent.
            let alone = self.node.trailing_zeros();
            self.node >>= alone;
            self.last >>= alone;
            Side::Left
        } else {
            Side::Right
        };
        self.node >>= 1;
        self.last >>= 1;
        Ok(side)
    }

    /// The way must have led to the root.
    const fn finish(&self) -> Result<(), BadProof> {
        if self.last == 0 { Ok(()) } else { Err(BadProof::Length) }
    }
}

fn same(found: &Hash, expected: &Hash) -> Result<(), BadProof> {
    if found == expected { Ok(()) } else { Err(BadProof::Root) }
}
