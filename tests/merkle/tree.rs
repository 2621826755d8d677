//! The log's tree against RFC 6962's own recursion, known roots and an independent implementation.

use callervault::merkle::{
    BadFrontier, Frontier, Hash, Tile, TileBuilder, empty_root, frontier_from_edges, leaf_hash, node_hash,
};
use data_encoding::HEXLOWER;
use proptest::prelude::*;
use ring::digest::{SHA256, digest};

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// The eight entries of Certificate Transparency's reference tests.
pub(crate) const ENTRIES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

/// Their roots, for 0 to 8 entries.
pub(crate) const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn sha256(input: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, input).as_ref());
    hash
}

/// MTH of RFC 6962 §2.1, word for word, sharing nothing with the crate.
pub(crate) fn mth<E: AsRef<[u8]>>(entries: &[E]) -> [u8; 32] {
    match entries {
        [] => sha256(b""),
        [entry] => sha256(&[b"\x00", entry.as_ref()].concat()),
        _ => {
            let (left, right) = entries.split_at(1 << (entries.len() - 1).ilog2());
            sha256(&[b"\x01".as_slice(), &mth(left), &mth(right)].concat())
        }
    }
}

/// Entries that differ from each other: their own index.
pub(crate) fn entries(count: u64) -> Vec<[u8; 8]> {
    (0..count).map(u64::to_be_bytes).collect()
}

fn frontier(entries: &[impl AsRef<[u8]>]) -> Frontier {
    let mut frontier = Frontier::new();
    for entry in entries {
        frontier.push(leaf_hash(entry.as_ref()));
    }
    frontier
}

/// A builder that holds `size` entries, and the tiles it gave on the way.
fn built(size: u64) -> (TileBuilder, Vec<Tile>) {
    let mut builder = TileBuilder::new();
    let tiles = entries(size)
        .iter()
        .flat_map(|entry| builder.push(leaf_hash(entry)))
        .collect();
    (builder, tiles)
}

#[test]
fn known_roots() -> TestResult {
    let entries = ENTRIES
        .iter()
        .map(|hex| HEXLOWER.decode(hex.as_bytes()))
        .collect::<Result<Vec<_>, _>>()?;
    for (size, expected) in ROOTS.iter().enumerate() {
        assert_eq!(
            HEXLOWER.encode(frontier(&entries[..size]).root().as_bytes()),
            *expected,
            "{size} entries"
        );
        assert_eq!(HEXLOWER.encode(&mth(&entries[..size])), *expected, "{size} entries");
    }
    assert_eq!(HEXLOWER.encode(empty_root().as_bytes()), ROOTS[0]);
    assert_eq!(HEXLOWER.encode(leaf_hash(b"").as_bytes()), ROOTS[1]);
    assert_eq!(
        HEXLOWER.encode(node_hash(&leaf_hash(b""), &leaf_hash(b"\0")).as_bytes()),
        ROOTS[2]
    );
    Ok(())
}

#[test]
fn a_hash_is_shown_as_padded_base64() -> TestResult {
    let root = empty_root();
    assert_eq!(root.to_string(), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    assert_eq!(format!("{root:?}"), root.to_string());
    assert_eq!(Hash::try_from(root.as_bytes().as_slice())?, root);
    assert_eq!(Hash::from_bytes(*root.as_bytes()), root);
    assert!(Hash::try_from([0; 31].as_slice()).is_err());
    assert!(Hash::try_from([0; 33].as_slice()).is_err());
    Ok(())
}

#[test]
fn a_frontier_survives_storage_at_every_size() -> TestResult {
    let mut frontier = Frontier::new();
    for entry in entries(600) {
        let bytes = frontier.to_bytes();
        assert_eq!(bytes.len(), 32 * frontier.size().count_ones() as usize);
        assert_eq!(Frontier::from_bytes(frontier.size(), &bytes)?, frontier);
        frontier.push(leaf_hash(&entry));
    }
    Ok(())
}

#[test]
fn a_frontier_of_the_wrong_length_is_refused() {
    assert_eq!(Frontier::from_bytes(3, &[0; 32]), Err(BadFrontier::Nodes));
    assert_eq!(Frontier::from_bytes(3, &[0; 63]), Err(BadFrontier::Nodes));
    assert_eq!(Frontier::from_bytes(3, &[0; 65]), Err(BadFrontier::Nodes));
    assert_eq!(Frontier::from_bytes(3, &[0; 96]), Err(BadFrontier::Nodes));
    assert_eq!(Frontier::from_bytes(0, &[0; 32]), Err(BadFrontier::Nodes));
    assert_eq!(Frontier::from_bytes(u64::MAX, &[0; 2048]), Err(BadFrontier::Size));
    assert!(Frontier::from_bytes(i64::MAX as u64, &[0; 2016]).is_ok());
}

#[test]
fn tiles_and_frontier_agree_at_every_size() -> TestResult {
    let entries = entries(65_536 + 300);
    let (mut builder, mut frontier) = (TileBuilder::new(), Frontier::new());
    for (size, entry) in (1_u64..).zip(&entries) {
        builder.push(leaf_hash(entry));
        frontier.push(leaf_hash(entry));
        if size < 1_000 || size.abs_diff(65_536) < 300 || size % 1_021 == 0 {
            assert_eq!(frontier_from_edges(size, builder.edges())?, frontier, "{size}");
        }
        if size < 1_000 || size.abs_diff(65_536) < 2 {
            assert_eq!(
                frontier.root().as_bytes(),
                &mth(&entries[..usize::try_from(size)?]),
                "{size}"
            );
        }
    }
    assert_eq!(frontier_from_edges(0, &[])?, Frontier::new());
    Ok(())
}

#[test]
fn full_tiles_have_the_shape_of_tlog_tiles() -> TestResult {
    let size = 65_536 + 257;
    let (builder, tiles) = built(size);
    let places: Vec<_> = tiles.iter().map(|tile| (tile.level, tile.index)).collect();
    let expected: Vec<_> = (0..256).map(|index| (0, index)).chain([(1, 0), (0, 256)]).collect();
    assert_eq!(places, expected);
    assert!(tiles.iter().all(|tile| tile.hashes.len() == 8192));
    assert_eq!(builder.edges().iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 1]);

    let entries = entries(size);
    for tile in &tiles {
        let span = 256_usize << (8 * tile.level);
        let start = usize::try_from(tile.index)? * span;
        assert_eq!(
            tile.root.as_bytes(),
            &mth(&entries[start..start + span]),
            "{}/{}",
            tile.level,
            tile.index
        );
    }
    let level_1 = tiles
        .iter()
        .filter(|tile| tile.level == 0)
        .take(256)
        .flat_map(|tile| *tile.root.as_bytes());
    assert_eq!(tiles[256].hashes, level_1.collect::<Vec<_>>());
    Ok(())
}

#[test]
fn resuming_anywhere_equals_never_stopping() -> TestResult {
    let all = entries(1_300);
    let mut continuous = TileBuilder::new();
    for (size, entry) in (0..1_000).zip(&all) {
        let mut resumed = TileBuilder::resume(size, continuous.edges().to_vec())?;
        assert_eq!(resumed, continuous);
        let mut ahead = continuous.clone();
        for later in &all[usize::try_from(size)?..][..300] {
            assert_eq!(resumed.push(leaf_hash(later)), ahead.push(leaf_hash(later)));
        }
        assert_eq!(resumed, ahead);
        continuous.push(leaf_hash(entry));
    }
    Ok(())
}

#[test]
fn resuming_just_before_a_level_1_tile_is_full() -> TestResult {
    let (before, _) = built(65_535);
    let mut resumed = TileBuilder::resume(before.size(), before.edges().to_vec())?;
    let tiles = resumed.push(leaf_hash(&65_535_u64.to_be_bytes()));
    assert_eq!(
        tiles.iter().map(|tile| (tile.level, tile.index)).collect::<Vec<_>>(),
        [(0, 255), (1, 0)]
    );
    assert_eq!(resumed.size(), 65_536);
    assert_eq!(tiles[1].root, frontier(&entries(65_536)).root());
    assert_eq!(resumed.edges(), [vec![], vec![], vec![tiles[1].root]]);
    Ok(())
}

#[test]
fn edges_that_do_not_fit_the_size_are_refused() {
    let hash = empty_root();
    let refused = |size, edges: &[Vec<Hash>]| {
        assert_eq!(frontier_from_edges(size, edges), Err(BadFrontier::Edges), "{size}");
        assert_eq!(
            TileBuilder::resume(size, edges.to_vec()),
            Err(BadFrontier::Edges),
            "{size}"
        );
    };
    refused(1, &[]);
    refused(0, &[vec![hash]]);
    refused(2, &[vec![hash]]);
    refused(256, &[vec![hash; 256]]);
    refused(256, &[vec![], vec![]]);
    refused(257, &[vec![hash]]);
    refused(257, &[vec![hash], vec![hash; 2]]);
    refused(256, &[vec![], vec![hash], vec![hash]]);
    assert_eq!(
        frontier_from_edges(u64::MAX, &vec![vec![hash; 255]; 8]),
        Err(BadFrontier::Size)
    );
    // An empty level above is no harm.
    assert_eq!(TileBuilder::resume(0, vec![vec![]; 40]), Ok(TileBuilder::new()));
}

/// Storage for the independent implementation.
pub(crate) struct Stored(pub(crate) Vec<tlog_tiles::Hash>);

impl tlog_tiles::HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let read = |&index: &u64| usize::try_from(index).ok().and_then(|at| self.0.get(at)).copied();
        indexes
            .iter()
            .map(read)
            .collect::<Option<_>>()
            .ok_or(tlog_tiles::Error::IndexesNotInTree)
    }
}

#[test]
fn an_independent_implementation_finds_the_same_roots_and_tiles() -> TestResult {
    let size = 65_536 + 600;
    let mut theirs = Stored(Vec::new());
    let (mut frontier, mut builder) = (Frontier::new(), TileBuilder::new());
    for (index, entry) in (0..).zip(&entries(size)) {
        let hashes = tlog_tiles::stored_hashes(index, entry, &theirs)?;
        theirs.0.extend(hashes);
        frontier.push(leaf_hash(entry));
        for tile in builder.push(leaf_hash(entry)) {
            let same = tlog_tiles::Tile::new(8, tile.level, tile.index, 256, false);
            assert_eq!(tile.hashes, same.read_data(&theirs)?);
            assert_eq!(*tile.root.as_bytes(), tlog_tiles::Tile::subtree_hash(&tile.hashes).0);
        }
        if index < 1_000 || index % 257 == 0 || index > 65_500 {
            assert_eq!(
                *frontier.root().as_bytes(),
                tlog_tiles::tree_hash(index + 1, &theirs)?.0,
                "{index}"
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_root_is_that_of_the_recursion(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..600)) {
        let frontier = frontier(&entries);
        prop_assert_eq!(frontier.size(), entries.len() as u64);
        prop_assert_eq!(*frontier.root().as_bytes(), mth(&entries));
    }

    #[test]
    fn a_stored_frontier_goes_on_where_it_stopped(first in 0_u64..700, more in 0_u64..700) {
        let all = entries(first + more);
        let (head, tail) = all.split_at(usize::try_from(first)?);
        let mut stored = Frontier::from_bytes(first, &frontier(head).to_bytes())?;
        for entry in tail {
            stored.push(leaf_hash(entry));
        }
        prop_assert_eq!(stored, frontier(&all));
    }
}
