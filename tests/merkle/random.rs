//! Proofs at random sizes up to the largest log, against an independent implementation.

use std::sync::LazyLock;

use callervault::merkle::{
    BadProof, Hash, Plan, empty_root, leaf_hash, node_hash, verify_consistency, verify_inclusion,
};
use proptest::prelude::*;

use crate::merkle::proofs::{
    LARGEST, STORED, STORED_SIZE, carry_out, consistency, flipped_in, inclusion, leaf, of_other_length, root,
};

/// The perfect trees of each height over leaves that are all alike.
static ALIKE: LazyLock<Vec<Hash>> = LazyLock::new(|| {
    let twice = |half: &Hash| Some(node_hash(half, half));
    std::iter::successors(Some(leaf_hash(b"alike")), twice)
        .take(64)
        .collect()
});

/// A tree of any size whose leaves are all alike but one, so that every node is known without storing any.
struct Sparse {
    marked: u64,
}

impl Sparse {
    const MARKED: &[u8] = b"marked";

    fn node(&self, height: u32, index: u64) -> Hash {
        if self.marked >> height != index {
            return ALIKE[height as usize];
        }
        (0..height).fold(leaf_hash(Self::MARKED), |marked, below| {
            let alike = &ALIKE[below as usize];
            match self.marked >> below & 1 {
                0 => node_hash(&marked, alike),
                _ => node_hash(alike, &marked),
            }
        })
    }
}

impl tlog_tiles::HashReader for Sparse {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let read = |&index: &u64| {
            let (height, index) = tlog_tiles::split_stored_hash_index(index);
            theirs(&self.node(height.into(), index))
        };
        Ok(indexes.iter().map(read).collect())
    }
}

fn theirs(hash: &Hash) -> tlog_tiles::Hash {
    tlog_tiles::Hash(*hash.as_bytes())
}

fn ours(hashes: &[tlog_tiles::Hash]) -> Vec<Hash> {
    hashes.iter().map(|hash| Hash::from_bytes(hash.0)).collect()
}

fn from_sparse(plan: &Plan, size: u64, tree: &Sparse) -> Result<Vec<Hash>, BadProof> {
    carry_out(plan, size, |level, index| tree.node(8 * u32::from(level), index))
}

/// Sizes from `smallest` up to `largest`, as many small as large.
fn sizes(smallest: u64, largest: u64) -> impl Strategy<Value = u64> {
    (any::<u64>(), 0_u32..63).prop_map(move |(size, shift)| smallest + (size >> shift) % (largest - smallest + 1))
}

/// Two numbers, the first not above the second.
fn ordered(smallest: u64, largest: u64) -> impl Strategy<Value = (u64, u64)> {
    (sizes(smallest, largest), sizes(smallest, largest)).prop_map(|(one, other)| (one.min(other), one.max(other)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn an_independent_implementation_makes_the_same_proofs((small, size) in ordered(1, STORED_SIZE)) {
        let index = small - 1;
        let (tree, old_tree) = (root(size)?, root(small)?);
        prop_assert_eq!(theirs(&tree), tlog_tiles::tree_hash(size, &*STORED)?);

        let proof = tlog_tiles::prove_record(size, index, &*STORED)?;
        prop_assert_eq!(&inclusion(index, size)?, &ours(&proof));
        prop_assert!(tlog_tiles::check_record(&proof, size, theirs(&tree), index, theirs(&leaf(index))).is_ok());
        prop_assert_eq!(verify_inclusion(index, size, &leaf(index), &ours(&proof), &tree), Ok(()));

        let proof = tlog_tiles::prove_tree(size, small, &*STORED)?;
        prop_assert_eq!(&consistency(small, size)?, &ours(&proof));
        prop_assert!(tlog_tiles::check_tree(&proof, size, theirs(&tree), small, theirs(&old_tree)).is_ok());
        prop_assert_eq!(verify_consistency(small, size, &ours(&proof), &old_tree, &tree), Ok(()));
    }

    // The independent implementation numbers nodes in 64 bits, which ends at 2^62 leaves.
    #[test]
    fn an_independent_implementation_makes_the_same_proofs_in_huge_logs((small, size) in ordered(1, 1 << 62)) {
        let index = small - 1;
        let tree = Sparse { marked: index };
        let root = from_sparse(&Plan::root(size)?, size, &tree)?;
        prop_assert_eq!(theirs(&root[0]), tlog_tiles::tree_hash(size, &tree)?);
        let proof = from_sparse(&Plan::inclusion(index, size)?, size, &tree)?;
        prop_assert_eq!(proof, ours(&tlog_tiles::prove_record(size, index, &tree)?));
        let proof = from_sparse(&Plan::consistency(small, size)?, size, &tree)?;
        prop_assert_eq!(proof, ours(&tlog_tiles::prove_tree(size, small, &tree)?));
    }

    #[test]
    fn proofs_hold_up_to_the_largest_log_and_changed_ones_do_not(
        (small, size) in ordered(1, LARGEST),
        elsewhere: u64,
        bit: usize,
    ) {
        let (index, elsewhere) = (small - 1, elsewhere % size);
        let tree = Sparse { marked: index };
        let leaf = leaf_hash(Sparse::MARKED);
        let root = from_sparse(&Plan::root(size)?, size, &tree)?[0];
        let old_root = from_sparse(&Plan::root(small)?, small, &tree)?[0];

        let proof = from_sparse(&Plan::inclusion(index, size)?, size, &tree)?;
        prop_assert_eq!(verify_inclusion(index, size, &leaf, &proof, &root), Ok(()));
        prop_assert_eq!(verify_inclusion(elsewhere, size, &leaf, &proof, &root).is_ok(), elsewhere == index);
        prop_assert!(proof.len() <= 63);
        if !proof.is_empty() {
            let changed = flipped_in(&proof, bit % (256 * proof.len()));
            prop_assert_eq!(verify_inclusion(index, size, &leaf, &changed, &root), Err(BadProof::Root));
        }

        let proof = from_sparse(&Plan::consistency(small, size)?, size, &tree)?;
        prop_assert_eq!(verify_consistency(small, size, &proof, &old_root, &root), Ok(()));
        prop_assert!(proof.len() <= 64);
        if !proof.is_empty() {
            let changed = flipped_in(&proof, bit % (256 * proof.len()));
            prop_assert_eq!(verify_consistency(small, size, &changed, &old_root, &root), Err(BadProof::Root));
        }
        for other in of_other_length(&proof) {
            prop_assert_eq!(verify_consistency(small, size, &other, &old_root, &root), Err(BadProof::Length));
        }
    }

    #[test]
    fn nothing_asked_makes_it_fall_over(
        (one, other) in (prop_oneof![any::<u64>(), sizes(0, u64::MAX - 1)], prop_oneof![any::<u64>(), sizes(0, u64::MAX - 1)]),
        proof in prop::collection::vec(any::<[u8; 32]>().prop_map(Hash::from_bytes), 0..70),
        hash: [u8; 32],
    ) {
        let hash = Hash::from_bytes(hash);
        prop_assert_eq!(Plan::inclusion(one, other).is_ok(), one < other && other <= LARGEST);
        prop_assert_eq!(Plan::consistency(one, other).is_ok(), one <= other && other <= LARGEST);
        prop_assert_eq!(Plan::root(one).is_ok(), one <= LARGEST);
        prop_assert!(verify_inclusion(one, other, &hash, &proof, &empty_root()).is_err());
        prop_assert!(verify_consistency(one, other, &proof, &hash, &empty_root()).is_err());
    }
}
