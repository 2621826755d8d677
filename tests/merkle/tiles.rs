//! Where tiles and entry bundles are found, and what a bundle holds: one path for each, one reading of each.

use std::collections::BTreeSet;

use callervault::merkle::{
    BadBundle, BadFrontier, BadTilePath, Frontier, MAX_ENTRY, TileBuilder, TileKind, TilePath, decode_bundle,
    encode_bundle, leaf_hash, tiles_of,
};
use proptest::prelude::*;

use crate::merkle::tree::entries;

type TestResult = Result<(), Box<dyn std::error::Error>>;

const LARGEST: u64 = i64::MAX as u64;
const LAST_INDEX: u64 = (1 << 55) - 1;

fn paths_of(size: u64) -> Result<Vec<String>, BadTilePath> {
    Ok(tiles_of(size)?.map(|path| path.to_string()).collect())
}

/// Past two tiles at level 1.
#[test]
fn tiles_pushed_whole_are_their_leaves_pushed_one_by_one() -> TestResult {
    let (mut frontier, mut tiles) = (Frontier::new(), TileBuilder::new());
    let (mut by_tile, mut tiles_by_tile) = (Frontier::new(), TileBuilder::new());
    for tile in 0..520_u64 {
        let mut full = Vec::new();
        let mut alone = Frontier::new();
        for entry in entries(256) {
            let leaf = leaf_hash(&[entry, tile.to_be_bytes()].concat());
            frontier.push(leaf);
            alone.push(leaf);
            full.extend(tiles.push(leaf));
        }
        by_tile.push_tile(alone.root())?;
        let above = tiles_by_tile.push_tile(alone.root())?;
        assert_eq!((&by_tile, &tiles_by_tile), (&frontier, &tiles));
        assert_eq!(above, full[1..]);
    }
    let leaf = leaf_hash(b"one more");
    by_tile.push(leaf);
    tiles_by_tile.push(leaf);
    assert_eq!(by_tile.push_tile(leaf), Err(BadFrontier::Edges));
    assert_eq!(tiles_by_tile.push_tile(leaf), Err(BadFrontier::Edges));
    Ok(())
}

#[test]
fn the_standard_s_examples_are_read_and_written() -> TestResult {
    let examples = [
        ("tile/0/x001/x234/067", TileKind::Hashes(0), 1_234_067, 256),
        ("tile/1/000.p/17", TileKind::Hashes(1), 0, 17),
        ("tile/entries/000.p/5", TileKind::Entries, 0, 5),
        ("tile/entries/x001/000", TileKind::Entries, 1_000, 256),
        ("tile/63/999.p/255", TileKind::Hashes(63), 999, 255),
        (
            "tile/0/x036/x028/x797/x018/x963/967.p/1",
            TileKind::Hashes(0),
            LAST_INDEX,
            1,
        ),
    ];
    for (text, kind, index, width) in examples {
        let path: TilePath = text.parse()?;
        assert_eq!(
            (path.kind(), path.index(), path.width()),
            (kind, index, width),
            "{text}"
        );
        assert_eq!((path.first(), path.is_full()), (index * 256, width == 256), "{text}");
        assert_eq!(TilePath::new(kind, index, width), Ok(path), "{text}");
        assert_eq!(path.to_string(), text);
    }
    Ok(())
}

const NO_PATHS: [&str; 71] = [
    "",
    "/",
    "tile",
    "tile/",
    "tile/0",
    "tile/0/",
    "0/000",
    "/tile/0/000",
    "tile//000",
    "tile/0//000",
    "TILE/0/000",
    "tile/0/0",
    "tile/0/00",
    "tile/0/0000",
    "tile/0/1000",
    "tile/0/001/",
    "tile/0/ 01",
    "tile/0/+01",
    "tile/0/-01",
    "tile/0/x001",
    "tile/0/001/002",
    "tile/0/x001/x002",
    "tile/0/X001/002",
    "tile/0/xx01/002",
    "tile/0/x1/002",
    "tile/0/x0001/002",
    "tile/0/x001/x/002",
    "tile/0/x001//002",
    "tile/0/x001/02",
    "tile/0/x001/1002",
    "tile/0/x000/001",
    "tile/0/x000/x001/002",
    "tile/0/x000/000",
    "tile/00/000",
    "tile/01/000",
    "tile/+1/000",
    "tile/-1/000",
    "tile/x/000",
    "tile/256/000",
    "tile/ 1/000",
    "tile/8/0/000",
    "tile/data/000",
    "tile/Entries/000",
    "tile/entries",
    "tile/entries/",
    "tile/entries/0",
    "tile/0/000.p",
    "tile/0/000.p/",
    "tile/0/000.p/256",
    "tile/0/000.p/01",
    "tile/0/000.p/+1",
    "tile/0/000.p/-1",
    "tile/0/000.p/1/",
    "tile/0/000.p/1/2",
    "tile/0/000.p/1.p/2",
    "tile/0/000p/1",
    "tile/0/000/p/1",
    "tile/0/000.P/1",
    "tile/0/.p/1",
    "tile/0/000 .p/1",
    "tile/0/000.p/1 ",
    " tile/0/000",
    "tile/0/000\n",
    "tile/0/000.p/99999999999999999999",
    "tile/0/../000",
    "tile/0/x001/../002",
    "tile/0/０００",
    "tile/0/x00\u{e9}/001",
    "tile/0/000?",
    "checkpoint",
    "tile/0/000.gz",
];

#[test]
fn any_other_path_is_refused() {
    for path in NO_PATHS {
        assert_eq!(path.parse::<TilePath>(), Err(BadTilePath::Form), "{path:?}");
    }
    let beyond = [
        "tile/64/000",
        "tile/255/000",
        "tile/0/000.p/0",
        "tile/0/000.p/257",
        "tile/0/x036/x028/x797/x018/x963/968",
        "tile/entries/x036/x028/x797/x018/x963/968.p/1",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/x999/999",
    ];
    for path in beyond {
        assert_eq!(path.parse::<TilePath>(), Err(BadTilePath::Range), "{path:?}");
    }
    for (kind, index, width) in [
        (TileKind::Hashes(64), 0, 256),
        (TileKind::Hashes(0), LAST_INDEX + 1, 256),
        (TileKind::Entries, u64::MAX, 1),
        (TileKind::Entries, 0, 0),
        (TileKind::Hashes(0), 0, 257),
    ] {
        assert_eq!(
            TilePath::new(kind, index, width),
            Err(BadTilePath::Range),
            "{kind:?} {index} {width}"
        );
    }
}

#[test]
fn a_log_has_the_tiles_of_the_standard_s_examples() -> TestResult {
    assert_eq!(paths_of(0)?, Vec::<String>::new());
    assert_eq!(paths_of(1)?, ["tile/0/000.p/1", "tile/entries/000.p/1"]);
    assert_eq!(paths_of(256)?, ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]);

    let full = |kind: &str| (0..273).map(|n| format!("tile/{kind}/{n:03}")).collect::<Vec<_>>();
    let expected = [
        full("0"),
        vec![
            "tile/0/273.p/112".to_owned(),
            "tile/1/000".to_owned(),
            "tile/1/001.p/17".to_owned(),
        ],
        vec!["tile/2/000.p/1".to_owned()],
        full("entries"),
        vec!["tile/entries/273.p/112".to_owned()],
    ];
    assert_eq!(paths_of(70_000)?, expected.concat());

    let mut largest = tiles_of(LARGEST)?;
    assert_eq!(
        largest.next().map(|path| path.to_string()).as_deref(),
        Some("tile/0/000")
    );
    assert!(tiles_of(LARGEST + 1).is_err());
    assert!(tiles_of(u64::MAX).is_err());
    Ok(())
}

#[test]
fn a_log_has_the_tiles_that_were_built() -> TestResult {
    let mut builder = TileBuilder::new();
    let mut full = BTreeSet::new();
    for (size, entry) in (1_u64..).zip(&entries(65_536 + 300)) {
        full.extend(
            builder
                .push(leaf_hash(entry))
                .iter()
                .map(|tile| (tile.level, tile.index)),
        );
        if size > 600 && size.abs_diff(65_536) > 2 && size % 5_003 != 0 {
            continue;
        }
        let mut found = BTreeSet::new();
        let mut edges = vec![0; builder.edges().len()];
        for path in tiles_of(size)? {
            let TileKind::Hashes(level) = path.kind() else { continue };
            if path.is_full() {
                assert!(found.insert((level, path.index())), "{path} twice");
            } else {
                edges[usize::from(level)] += path.width();
            }
        }
        assert_eq!(found, full, "{size}");
        assert_eq!(
            edges,
            builder.edges().iter().map(Vec::len).collect::<Vec<_>>(),
            "{size}"
        );
    }
    Ok(())
}

#[test]
fn beyond_the_right_edge_there_is_no_tile() {
    let width = |size, kind, index| TilePath::within(size, kind, index).map(|path| path.width());
    for kind in [TileKind::Hashes(0), TileKind::Entries] {
        assert_eq!(width(0, kind, 0), None);
        assert_eq!(width(255, kind, 0), Some(255));
        assert_eq!(width(256, kind, 0), Some(256));
        assert_eq!(width(256, kind, 1), None);
        assert_eq!(width(257, kind, 1), Some(1));
        assert_eq!(width(257, kind, 2), None);
        assert_eq!(width(257, kind, u64::MAX), None);
        assert_eq!(width(LARGEST, kind, LAST_INDEX), Some(255));
    }
    assert_eq!(width(255, TileKind::Hashes(1), 0), None);
    assert_eq!(width(256, TileKind::Hashes(1), 0), Some(1));
    assert_eq!(width(LARGEST, TileKind::Hashes(7), 0), Some(127));
    for level in [8, 63, 64, 255] {
        assert_eq!(width(LARGEST, TileKind::Hashes(level), 0), None, "{level}");
    }
}

#[test]
fn a_bundle_is_lengths_and_bytes() -> TestResult {
    let bundle = encode_bundle(&[b"ab".as_slice(), b"", b"c"])?;
    assert_eq!(bundle, b"\x00\x02ab\x00\x00\x00\x01c");
    assert_eq!(decode_bundle(&bundle)?, [b"ab".as_slice(), b"", b"c"]);

    let long = vec![7; MAX_ENTRY];
    let bundle = encode_bundle(&[&long])?;
    assert_eq!((bundle.len(), &bundle[..2]), (MAX_ENTRY + 2, [0xff, 0xff].as_slice()));
    assert_eq!(decode_bundle(&bundle)?, [long]);
    Ok(())
}

#[test]
fn what_is_no_bundle_is_refused() -> TestResult {
    assert_eq!(encode_bundle(&[vec![0; MAX_ENTRY + 1]]), Err(BadBundle::Entry));
    assert_eq!(encode_bundle(&[b""; 0]), Err(BadBundle::Count));
    assert_eq!(encode_bundle(&[b""; 257]), Err(BadBundle::Count));
    assert_eq!(decode_bundle(b""), Err(BadBundle::Count));
    assert_eq!(decode_bundle(&[0; 2 * 257]), Err(BadBundle::Count));
    assert_eq!(decode_bundle(&encode_bundle(&[b""; 256])?)?.len(), 256);
    for cut in [
        b"\x00".as_slice(),
        b"\x00\x01",
        b"\x00\x01a\x00",
        b"\x00\x01a\x00\x02b",
        b"\xff\xff",
    ] {
        assert_eq!(decode_bundle(cut), Err(BadBundle::Cut), "{cut:?}");
    }
    Ok(())
}

/// What the independent implementation calls the same tile.
fn their_spelling(path: &str) -> String {
    path.replacen("tile/entries/", "tile/data/", 1)
        .replacen("tile/", "tile/8/", 1)
}

fn any_tile() -> impl Strategy<Value = TilePath> {
    let kind = prop_oneof![Just(TileKind::Entries), (0_u8..64).prop_map(TileKind::Hashes)];
    let parts = (kind, any::<u64>(), 9_u32..64, 1_usize..=256);
    parts.prop_filter_map("parts", |(kind, index, shift, width)| {
        TilePath::new(kind, index >> shift, width).ok()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_path_says_which_tile_it_is(tile in any_tile()) {
        let path = tile.to_string();
        prop_assert_eq!(path.parse::<TilePath>(), Ok(tile));
        let same = tlog_tiles::Tile::from_path(&their_spelling(&path)).map_err(|_| TestCaseError::fail("refused"))?;
        prop_assert_eq!(same.is_data(), tile.kind() == TileKind::Entries);
        prop_assert_eq!((same.level_index(), same.width() as usize), (tile.index(), tile.width()));
        if let TileKind::Hashes(level) = tile.kind() {
            prop_assert_eq!(same.level(), level);
        }
    }

    #[test]
    fn an_independent_implementation_reads_the_same_paths(
        path in "tile/([0-9]|[1-5][0-9]|6[0-3]|0[0-9]|entries)/(x?[0-9]{3}/|x00[01]/|x?[0-9]{2,4}/){0,3}x?[0-9]{3}(\\.p/[1-9][0-9]{0,2})?",
    ) {
        let ours = path.parse::<TilePath>();
        prop_assert_eq!(ours.is_ok(), tlog_tiles::Tile::from_path(&their_spelling(&path)).is_ok(), "{}", path);
    }

    #[test]
    fn a_changed_path_is_another_tile_or_none(tile in any_tile(), at: prop::sample::Index, new in "[0-9x./p a-z+-]{0,2}") {
        let path = tile.to_string();
        let at = at.index(path.len());
        for changed in [format!("{}{new}{}", &path[..at], &path[at..]), format!("{}{new}{}", &path[..at], &path[at + 1..])] {
            if let Ok(read) = changed.parse::<TilePath>() {
                prop_assert_eq!(&read.to_string(), &changed);
                prop_assert_eq!(read == tile, changed == path);
            }
        }
    }

    #[test]
    fn an_independent_implementation_lists_the_same_tiles(size in 0_u64..300_000) {
        let tiles = tlog_tiles::Tile::new_tiles(8, 0, size);
        let data = tiles.iter().filter(|tile| tile.level() == 0).map(|&tile| {
            let mut data = tile;
            data.set_is_data();
            data
        });
        let theirs: Vec<_> = tiles.iter().copied().chain(data).map(|tile| tile.path()).collect();
        let ours: Vec<_> = paths_of(size)?.iter().map(|path| their_spelling(path)).collect();
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn a_bundle_gives_back_what_was_put_in(
        entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 1..=256),
        cut: prop::sample::Index,
    ) {
        let bundle = encode_bundle(&entries)?;
        prop_assert_eq!(&decode_bundle(&bundle)?, &entries);
        // A bundle cut short is none, or fewer of the same entries.
        let cut = cut.index(bundle.len());
        match decode_bundle(&bundle[..cut]) {
            Ok(read) => {
                prop_assert!(read.len() < entries.len());
                prop_assert_eq!(&read, &entries[..read.len()]);
            }
            Err(error) => prop_assert_eq!(error, if cut == 0 { BadBundle::Count } else { BadBundle::Cut }),
        }
    }

    #[test]
    fn a_bundle_has_one_spelling(bytes in prop::collection::vec(prop_oneof![Just(0), Just(1), any::<u8>()], 0..40)) {
        if let Ok(entries) = decode_bundle(&bytes) {
            prop_assert_eq!(encode_bundle(&entries)?, bytes);
        }
    }

    #[test]
    fn nothing_read_makes_it_fall_over(text in "\\PC{0,60}|tile/[0-9a-z/.]{0,60}") {
        if let Ok(path) = text.parse::<TilePath>() {
            prop_assert_eq!(path.to_string(), text);
        }
    }
}
