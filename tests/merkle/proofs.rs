//! Proofs against the RFCs' own recursions; and that nothing but the right proof holds.

use std::sync::LazyLock;

use callervault::merkle::{BadProof, Hash, Plan, Run, empty_root, leaf_hash, verify_consistency, verify_inclusion};

use crate::merkle::tree::{Stored, entries, mth};

type TestResult = Result<(), Box<dyn std::error::Error>>;

pub(crate) const LARGEST: u64 = i64::MAX as u64;

/// Leaves of [`STORED`]: enough for tiles of three levels.
pub(crate) const STORED_SIZE: u64 = 65_536 + 600;

/// A tree of leaves that differ from each other, kept by the independent implementation.
pub(crate) static STORED: LazyLock<Stored> = LazyLock::new(|| {
    let mut stored = Stored(Vec::new());
    for (index, entry) in (0..).zip(&entries(STORED_SIZE)) {
        let hashes = tlog_tiles::stored_hashes(index, entry, &stored).expect("stored so far");
        stored.0.extend(hashes);
    }
    stored
});

/// Carries out a plan for a tree of `size` leaves as a store does, which has the hashes of tiles and nothing else.
pub(crate) fn carry_out(plan: &Plan, size: u64, tile_hash: impl Fn(u8, u64) -> Hash) -> Result<Vec<Hash>, BadProof> {
    let fetch = |Run { level, first, count }: Run| -> Vec<Hash> {
        let last = first + count as u64 - 1;
        assert_eq!(first / 256, last / 256, "in one tile");
        assert!(last < size >> (8 * u32::from(level)), "in the tree");
        (first..=last).map(|index| tile_hash(level, index)).collect()
    };
    let nodes = plan.nodes().iter().map(|node| node.hash(&fetch(node.run())));
    plan.finish(&nodes.collect::<Result<Vec<_>, _>>()?)
}

fn from_stored(plan: &Plan, size: u64) -> Result<Vec<Hash>, BadProof> {
    carry_out(plan, size, |level, index| {
        let at = usize::try_from(tlog_tiles::stored_hash_index(8 * level, index)).expect("small");
        Hash::from_bytes(STORED.0[at].0)
    })
}

pub(crate) fn inclusion(index: u64, size: u64) -> Result<Vec<Hash>, BadProof> {
    from_stored(&Plan::inclusion(index, size)?, size)
}

pub(crate) fn consistency(old: u64, new: u64) -> Result<Vec<Hash>, BadProof> {
    from_stored(&Plan::consistency(old, new)?, new)
}

pub(crate) fn root(size: u64) -> Result<Hash, BadProof> {
    Ok(from_stored(&Plan::root(size)?, size)?[0])
}

pub(crate) fn leaf(index: u64) -> Hash {
    leaf_hash(&index.to_be_bytes())
}

/// Where RFC 6962 §2.1 cuts a tree of `size` leaves.
fn cut(size: usize) -> usize {
    1 << (size - 1).ilog2()
}

/// PATH of RFC 6962 §2.1.1, word for word.
fn path<E: AsRef<[u8]>>(m: usize, entries: &[E]) -> Vec<[u8; 32]> {
    if entries.len() == 1 {
        return Vec::new();
    }
    let (left, right) = entries.split_at(cut(entries.len()));
    let (mut proof, sibling) = if m < left.len() {
        (path(m, left), mth(right))
    } else {
        (path(m - left.len(), right), mth(left))
    };
    proof.push(sibling);
    proof
}

/// SUBPROOF of RFC 6962 §2.1.2, word for word.
fn subproof<E: AsRef<[u8]>>(m: usize, entries: &[E], whole: bool) -> Vec<[u8; 32]> {
    if m == entries.len() {
        return if whole { Vec::new() } else { vec![mth(entries)] };
    }
    let (left, right) = entries.split_at(cut(entries.len()));
    let (mut proof, sibling) = if m <= left.len() {
        (subproof(m, left, whole), mth(right))
    } else {
        (subproof(m - left.len(), right, false), mth(left))
    };
    proof.push(sibling);
    proof
}

fn bytes(hashes: &[Hash]) -> Vec<[u8; 32]> {
    hashes.iter().map(|hash| *hash.as_bytes()).collect()
}

/// On which side each sibling stands on the way up: all that an inclusion proof can tell of index and size.
fn sides(index: usize, size: usize) -> String {
    if size == 1 {
        return String::new();
    }
    let left = cut(size);
    if index < left {
        sides(index, left) + "r"
    } else {
        sides(index - left, size - left) + "l"
    }
}

/// The same for a consistency proof, which starts from the old root or from a part of it.
fn steps(old: usize, new: usize, whole: bool) -> String {
    if old == new {
        return if whole { "root" } else { "part" }.to_owned();
    }
    let left = cut(new);
    if old <= left {
        steps(old, left, whole) + "r"
    } else {
        steps(old - left, new - left, false) + "l"
    }
}

/// The hash with one of its 256 bits changed.
fn flipped(hash: &Hash, bit: usize) -> Hash {
    let mut bytes = *hash.as_bytes();
    bytes[bit / 8] ^= 1 << (bit % 8);
    Hash::from_bytes(bytes)
}

/// The proof with one of its bits changed.
pub(crate) fn flipped_in(proof: &[Hash], bit: usize) -> Vec<Hash> {
    let mut changed = proof.to_vec();
    let at = bit / 256;
    changed[at] = flipped(&changed[at], bit % 256);
    changed
}

/// The proof with a hash more or less, at either end.
pub(crate) fn of_other_length(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut others = vec![[proof, &[empty_root()]].concat(), [&[empty_root()], proof].concat()];
    if let [first, .., last] = proof {
        others.extend([[proof, &[*last]].concat(), [&[*first], proof].concat()]);
        others.extend([proof[1..].to_vec(), proof[..proof.len() - 1].to_vec(), Vec::new()]);
    }
    others
}

#[test]
fn proofs_are_those_of_the_recursion_at_every_small_size() -> TestResult {
    let all = entries(70);
    for size in 1..=70 {
        let tree = &all[..usize::try_from(size)?];
        assert_eq!(root(size)?.as_bytes(), &mth(tree), "{size}");
        for index in 0..size {
            let place = format!("{index} of {size}");
            let proof = inclusion(index, size)?;
            assert_eq!(bytes(&proof), path(usize::try_from(index)?, tree), "{place}");
            assert_eq!(
                verify_inclusion(index, size, &leaf(index), &proof, &root(size)?),
                Ok(()),
                "{place}"
            );
        }
        for old in 1..=size {
            let place = format!("{old} to {size}");
            let proof = consistency(old, size)?;
            assert_eq!(bytes(&proof), subproof(usize::try_from(old)?, tree, true), "{place}");
            assert_eq!(
                verify_consistency(old, size, &proof, &root(old)?, &root(size)?),
                Ok(()),
                "{place}"
            );
        }
    }
    Ok(())
}

#[test]
fn a_plan_is_refused_where_no_proof_leads() -> TestResult {
    assert_eq!(Plan::inclusion(0, 0), Err(BadProof::Range));
    assert_eq!(Plan::inclusion(5, 5), Err(BadProof::Range));
    assert_eq!(Plan::inclusion(u64::MAX, 5), Err(BadProof::Range));
    assert_eq!(Plan::inclusion(0, LARGEST + 1), Err(BadProof::Size));
    assert_eq!(Plan::consistency(6, 5), Err(BadProof::Range));
    assert_eq!(Plan::consistency(1, LARGEST + 1), Err(BadProof::Size));
    assert_eq!(Plan::consistency(u64::MAX, u64::MAX), Err(BadProof::Size));
    assert_eq!(Plan::root(LARGEST + 1), Err(BadProof::Size));

    assert_eq!(from_stored(&Plan::root(0)?, 0)?, [empty_root()]);
    for size in [0, 1, 5, LARGEST] {
        assert_eq!(Plan::consistency(0, size)?.finish(&[]), Ok(Vec::new()), "{size}");
        assert_eq!(Plan::consistency(size, size)?.finish(&[]), Ok(Vec::new()), "{size}");
    }
    Ok(())
}

#[test]
fn a_plan_takes_exactly_the_hashes_it_names() -> TestResult {
    let plan = Plan::inclusion(300, 1_000)?;
    let nodes = plan.nodes();
    let enough = vec![empty_root(); nodes.len()];
    assert!(plan.finish(&enough).is_ok());
    assert_eq!(plan.finish(&enough[1..]), Err(BadProof::Length));
    assert_eq!(
        plan.finish(&[enough, vec![empty_root()]].concat()),
        Err(BadProof::Length)
    );

    let wide = nodes.iter().find(|node| node.height() == 7).ok_or("none")?;
    assert_eq!((wide.height(), wide.index()), (7, 3));
    assert_eq!(
        wide.run(),
        Run {
            level: 0,
            first: 384,
            count: 128
        }
    );
    let hashes = vec![empty_root(); 129];
    assert_eq!(wide.hash(&hashes), Err(BadProof::Length));
    assert!(wide.hash(&hashes[1..]).is_ok());
    assert_eq!(wide.hash(&hashes[2..]), Err(BadProof::Length));
    assert_eq!(wide.hash(&[]), Err(BadProof::Length));
    Ok(())
}

#[test]
fn a_changed_bit_anywhere_is_found() -> TestResult {
    let size = 13;
    let tree = root(size)?;
    for index in 0..size {
        let (leaf, proof) = (leaf(index), inclusion(index, size)?);
        for bit in 0..256 * proof.len() {
            let changed = flipped_in(&proof, bit);
            assert_eq!(
                verify_inclusion(index, size, &leaf, &changed, &tree),
                Err(BadProof::Root),
                "{index} {bit}"
            );
        }
        for bit in 0..256 {
            assert_eq!(
                verify_inclusion(index, size, &flipped(&leaf, bit), &proof, &tree),
                Err(BadProof::Root)
            );
            assert_eq!(
                verify_inclusion(index, size, &leaf, &proof, &flipped(&tree, bit)),
                Err(BadProof::Root)
            );
        }
    }
    for old in 1..=size {
        let (old_tree, proof) = (root(old)?, consistency(old, size)?);
        for bit in 0..256 * proof.len() {
            let changed = verify_consistency(old, size, &flipped_in(&proof, bit), &old_tree, &tree);
            assert_eq!(changed, Err(BadProof::Root), "{old} {bit}");
        }
        for bit in 0..256 {
            let (other_old, other_new) = (flipped(&old_tree, bit), flipped(&tree, bit));
            assert_eq!(
                verify_consistency(old, size, &proof, &other_old, &tree),
                Err(BadProof::Root)
            );
            assert_eq!(
                verify_consistency(old, size, &proof, &old_tree, &other_new),
                Err(BadProof::Root)
            );
        }
    }
    Ok(())
}

#[test]
fn an_inclusion_proof_holds_for_no_other_place() -> TestResult {
    let mut same_shape = 0;
    for (size, index) in (1..=16).flat_map(|size| (0..size).map(move |index| (size, index))) {
        let (leaf, proof, tree) = (leaf(index), inclusion(index, size)?, root(size)?);
        let shape = sides(usize::try_from(index)?, usize::try_from(size)?);
        for (other_size, other) in (0..=18).flat_map(|size| (0..=18).map(move |index| (size, index))) {
            let place = format!("{index} of {size} as {other} of {other_size}");
            let held = verify_inclusion(other, other_size, &leaf, &proof, &tree).is_ok();
            let inside = other < other_size;
            let looks_the_same = inside && sides(usize::try_from(other)?, usize::try_from(other_size)?) == shape;
            assert_eq!(held, looks_the_same, "{place}");
            assert!(!held || other_size != size || other == index, "{place}");
            same_shape += u32::from(held && other_size != size);

            // With the root that goes with the size, only the one place is left.
            let held = verify_inclusion(other, other_size, &leaf, &proof, &root(other_size)?).is_ok();
            assert_eq!(held, (other, other_size) == (index, size), "{place}");
        }
    }
    assert!(same_shape > 0);
    Ok(())
}

#[test]
fn a_consistency_proof_holds_for_no_other_sizes() -> TestResult {
    let pairs = |largest| (0..=largest).flat_map(move |new| (0..=largest).map(move |old| (old, new)));
    for (old, new) in pairs(12).filter(|&(old, new)| 0 < old && old <= new) {
        let (proof, old_tree, tree) = (consistency(old, new)?, root(old)?, root(new)?);
        let shape = steps(usize::try_from(old)?, usize::try_from(new)?, true);
        for (other_old, other_new) in pairs(14) {
            let place = format!("{old} to {new} as {other_old} to {other_new}");
            let inside = 0 < other_old && other_old <= other_new;
            let looks_the_same =
                inside && steps(usize::try_from(other_old)?, usize::try_from(other_new)?, true) == shape;
            let held = verify_consistency(other_old, other_new, &proof, &old_tree, &tree).is_ok();
            assert_eq!(held, looks_the_same, "{place}");

            // With the roots that go with the sizes, only equal sizes need no proof.
            let held = verify_consistency(other_old, other_new, &proof, &root(other_old)?, &root(other_new)?);
            let right = (other_old, other_new) == (old, new) || (old == new && inside && other_old == other_new);
            assert_eq!(held.is_ok(), right, "{place}");
        }
    }
    Ok(())
}

#[test]
fn nothing_follows_from_the_empty_tree_or_from_a_larger_one() -> TestResult {
    let (none, five) = (empty_root(), root(5)?);
    assert_eq!(verify_consistency(0, 5, &[], &none, &five), Err(BadProof::Range));
    assert_eq!(verify_consistency(0, 0, &[], &none, &none), Err(BadProof::Range));
    assert_eq!(verify_consistency(6, 5, &[], &five, &five), Err(BadProof::Range));
    assert_eq!(
        verify_consistency(5, LARGEST + 1, &[], &five, &five),
        Err(BadProof::Size)
    );
    assert_eq!(verify_consistency(5, 5, &[], &five, &none), Err(BadProof::Root));
    assert_eq!(verify_consistency(5, 5, &[five], &five, &five), Err(BadProof::Length));
    assert_eq!(verify_inclusion(5, 5, &five, &[], &five), Err(BadProof::Range));
    assert_eq!(verify_inclusion(0, 0, &none, &[], &none), Err(BadProof::Range));
    assert_eq!(verify_inclusion(0, LARGEST + 1, &five, &[], &five), Err(BadProof::Size));
    Ok(())
}
