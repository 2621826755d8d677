//! The index of the log: where it says that entries are, and that nothing is lost with it.

use std::os::unix::fs::PermissionsExt;

use callervault::store::LogIndex;
use callervault::store::log_index::{IndexedEntry, Position, Term, TermKind, Walk};
use callervault::store::sqlite::SqliteLogIndex;
use callervault::vault::life::fsck;

use crate::audit::search::{Query, all, busy, found, query};
use crate::support::rows::{Edit, Store};
use crate::support::{World, passphrase};

#[tokio::test]
async fn a_mark_is_found_wherever_in_the_log_its_entry_stands() {
    let dir = tempfile::tempdir().unwrap();
    let index = SqliteLogIndex::open(&dir.path().join("log-index.db")).unwrap();
    let places = [5, 262_143, 262_144, 1_000_000];
    let entry = |index| IndexedEntry {
        index,
        at: 0,
        terms: Vec::new(),
        mark: Some(if index == 7 { 43 } else { 42 }),
    };
    let entries = places.into_iter().chain([7]).map(entry).collect();
    let to = Position {
        size: 1_000_001,
        last: None,
    };
    assert!(index.add(0, entries, to).await.unwrap());
    assert_eq!(index.marked(42, 1_000_001).await.unwrap(), places);
    assert_eq!(index.marked(43, 1_000_001).await.unwrap(), [7]);
    assert!(index.marked(44, 1_000_001).await.unwrap().is_empty());
    assert_eq!(index.marked(42, 1_000_000).await.unwrap(), places[..3]);
}

#[tokio::test]
async fn a_walk_stops_after_its_steps_and_goes_on_from_there() {
    let dir = tempfile::tempdir().unwrap();
    let index = SqliteLogIndex::open(&dir.path().join("log-index.db")).unwrap();
    let term = |value: &str| Term {
        kind: TermKind::Dept,
        value: value.to_owned(),
    };
    let entry = |index: u64| IndexedEntry {
        index,
        at: 0,
        terms: vec![term(if index.is_multiple_of(2) { "C1" } else { "W2" })],
        mark: None,
    };
    let to = Position { size: 1200, last: None };
    assert!(index.add(0, (0..1200).map(entry).collect(), to).await.unwrap());
    let walk = |before| Walk {
        terms: vec![term("C1"), term("W2")],
        before,
        limit: 10,
        steps: 500,
        ..Walk::default()
    };
    let mut before = 1200;
    let mut rounds = 0;
    loop {
        let walked = index.walk(walk(before)).await.unwrap();
        assert!(walked.hits.is_empty(), "nothing is in both");
        let Some(next) = walked.next else { break };
        assert!(next < before);
        (before, rounds) = (next, rounds + 1);
    }
    assert_eq!(rounds, 1, "500 steps of two entries each, then the rest");
}

/// The index hides one entry and the mark of another, names others that are not in clear, and has a wrong time.
fn mislead(index: &Store, hidden: u64, unmarked: u64) {
    let number = |number: u64| i64::try_from(number).unwrap();
    let term = |value: &str| -> u64 {
        let terms = index.rows("term").of("kind", "form").of("value", value);
        terms.first("id")
    };
    let [clear, masked] = [term("clear"), term("masked")].map(number);
    let postings = index.rows("posting");
    postings.clone().of("term", clear).of("idx", number(hidden)).delete();
    let others = postings.of("term", masked).kept().with("term", clear);
    index.insert(&others);
    index.rows("mark").of("idx", number(unmarked)).delete();
    index.rows("block").of("level", 0).of("n", 0).add("t_max", 1);
}

/// A vault whose log has something to find, what is searched for, and what is right.
async fn searched() -> (World, Query, Vec<u64>) {
    let (world, app, _) = busy().await;
    let query = query([("out", "granted"), ("form", "clear")]);
    let right = all(world.actor(&app, "auditor"), &query, 200).await;
    drop(app);
    (world, query, right)
}

/// The search finds these, whatever was done to the index.
async fn finds(world: &World, query: &Query, right: &[u64], when: &str) {
    let app = world.open().await;
    assert_eq!(all(world.actor(&app, "auditor"), query, 200).await, right, "{when}");
}

async fn made_again(world: &World) {
    let made = fsck::rebuild_index(&world.places, &passphrase(), &|_| {}).await;
    made.unwrap();
}

/// It hides entries and shows others, which their own leaves give away.
#[tokio::test]
async fn an_edited_index_shows_nothing_wrong_and_is_named() {
    let (world, query, right) = searched().await;
    let file = world.places.log_index();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(world.fsck().await, []);
    mislead(&Store::open(&file), right[0], right[1]);
    finds(&world, &query, &right[1..], "edited").await;
    let findings: Vec<String> = world.fsck().await.into_iter().map(|finding| finding.what).collect();
    assert_eq!(findings.len(), 3, "{findings:?}");
    assert!(findings[0].contains("form clear"), "{findings:?}");
    assert!(findings[1].contains("trace marks"), "{findings:?}");
    assert!(findings[2].contains("times"), "{findings:?}");
    made_again(&world).await;
    assert_eq!(world.fsck().await, []);
    finds(&world, &query, &right, "made again").await;
}

/// One that is hidden so, and two that no entry has there.
#[tokio::test]
async fn marks_in_other_lists_than_their_entries_are_named() {
    let (world, _, _) = searched().await;
    let moved: Edit = |index| index.rows("mark").last("idx").add("segment", 1);
    let twice: Edit = |index| index.insert(&index.rows("mark").kept_first().with("segment", 3));
    let beyond: Edit = |index| {
        let mark = index.rows("mark").kept_first().with("segment", 0);
        index.insert(&mark.with("idx", 1_000_000_000_000));
    };
    for edit in [moved, twice, beyond] {
        edit(&Store::open(&world.places.log_index()));
        let findings = world.fsck().await;
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].what.contains("trace marks"), "{findings:?}");
        made_again(&world).await;
    }
}

/// Its place is put back, and a table is gone.
#[tokio::test]
async fn an_index_that_cannot_go_on_is_made_again() {
    let (world, query, right) = searched().await;
    let hash: Vec<u8> = world.data().rows("log_entry").of("idx", 19).first("leaf_hash");
    let put_back = |index: Store| {
        index.rows("position").set("size", 20);
        index.rows("position").set("last", &*hash);
    };
    let without_marks = |index: Store| index.without("mark");
    let edits: [(&str, &dyn Fn(Store)); 2] = [("put back", &put_back), ("without marks", &without_marks)];
    for (what, edit) in edits {
        edit(Store::open(&world.places.log_index()));
        assert_ne!(world.fsck().await, [], "{what}");
        finds(&world, &query, &right, what).await;
        assert_eq!(world.fsck().await, [], "{what}");
    }
}

/// Lost, and no database at all.
#[tokio::test]
async fn a_lost_index_is_made_again() {
    let (world, query, right) = searched().await;
    let file = world.places.log_index();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(world.fsck().await, []);
    finds(&world, &query, &right, "lost").await;
    std::fs::remove_file(&file).unwrap();
    let words = "not a database, whatever it says on the label; long enough to be read as one";
    std::fs::write(&file, words).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(world.fsck().await.len(), 1);
    finds(&world, &query, &right, "no database").await;
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn an_index_of_another_log_is_not_used() {
    let (one, app, _) = busy().await;
    let query = query([("act", "field.reveal")]);
    let right = all(one.actor(&app, "auditor"), &query, 200).await;
    let (other, its) = World::of_its_own().await;
    found(other.actor(&its, "auditor"), &query).await;
    drop((app, its));
    std::fs::copy(other.places.log_index(), one.places.log_index()).unwrap();
    assert_eq!(one.fsck().await.len(), 1);
    let app = one.open().await;
    assert_eq!(all(one.actor(&app, "auditor"), &query, 200).await, right);
}
