//! Each entry about a caller carries its number: whoever hides an entry leaves a gap that outsiders see.

use callervault::log::LogKeys;
use callervault::merkle::{Frontier, decode_bundle, encode_bundle, leaf_hash};
use callervault::note::Checkpoint;
use serde_json::Value;

use crate::audit::outsiders::go;
use crate::life::restart::restarted;
use crate::support::copies::{Copy, caught, copy, holds, put, signed};
use crate::support::{Case, World, caller};

/// The numbers of the entries about a subject, oldest first.
async fn numbers(world: &World, app: &std::sync::Arc<callervault::http::App>, subject: &str) -> Vec<u64> {
    let auditor = world.actor(app, "auditor");
    let path = format!("/v1/audit/events?subject={subject}&limit=200");
    let found = auditor.get(path).await.is(200).json();
    let entries = found["entries"].as_array().unwrap();
    let own = entries.iter().filter(|entry| entry["leaf"]["subject"] == subject);
    let mut numbers: Vec<u64> = own.map(|entry| entry["leaf"]["nth"].as_u64().unwrap()).collect();
    numbers.reverse();
    numbers
}

#[tokio::test]
async fn entries_about_a_caller_are_counted_through_a_restart() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let other = world.case_of(&app, "W2", caller("李四光", "13900007777")).await;
    let (subject, of_other) = (world.subject(&app, &case).await, world.subject(&app, &other).await);
    let [c1, w2] = world.actors(&app, ["handler-c1", "handler-w2"]);
    c1.reveal(&case).clear().await.is(200);
    // Refusals are counted too, for the caller whom the log says they are about.
    let foreign = Case {
        reference: case.reference.clone(),
        no: other.no.clone(),
    };
    c1.reveal(&foreign).clear().await.is(403);
    w2.reveal(&other).masked().await.is(200);
    let before = numbers(&world, &app, &subject).await;
    let counted: Vec<u64> = (1..).take(before.len()).collect();
    assert!(before.len() > 4 && before == counted, "{before:?}");
    drop(app);
    assert_eq!(world.fsck().await, []);

    // The searches above are counted as well.
    let app = world.open().await;
    world.actor(&app, "handler-c1").reveal(&case).clear().await.is(200);
    for subject in [&subject, &of_other] {
        let after = numbers(&world, &app, subject).await;
        let counted: Vec<u64> = (1..).take(after.len()).collect();
        assert_eq!(after, counted);
    }
    let auditor = world.actor(&app, "auditor");
    let note = auditor.get("/v1/audit/events/0").await.is(200).json();
    assert_eq!(note["leaf"].get("nth"), None, "an entry about nobody has none");
    holds(&copy(&world, &app).await, &[]);
}

/// Over several turns of the table, and killed in between: no number is lost or comes twice.
#[tokio::test]
async fn no_number_is_lost_between_the_table_and_the_log() {
    let (world, mut app) = World::unlimited().await;
    let case = world.case(&app, "C1").await;
    let mut cases = vec![case];
    for n in 0..8 {
        cases.push(
            world
                .case_of(&app, "C1", caller("赵六一", &format!("137000022{n:02}")))
                .await,
        );
    }
    for round in 0..4 {
        let handler = world.actor(&app, "handler-c1");
        for n in 0..180 {
            handler.reveal(&cases[n % cases.len()]).masked().await.is(200);
        }
        let place = format!("round {round}");
        drop(app);
        assert_eq!(world.fsck().await, [], "{place}");
        app = world.open().await;
    }
    let copy = copy(&world, &app).await;
    holds(&copy, &[]);
    if let Some(output) = go(&copy) {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A count that was edited makes no entries that look as if one was hidden: nothing is logged of that caller, and `fsck` names the row.
#[tokio::test]
async fn a_count_that_was_edited_stops_the_caller_and_nobody_else() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let other = world.case_of(&app, "W2", caller("李四光", "13900007777")).await;
    let subject = world.subject(&app, &case).await;
    drop(app);
    drop(grown(&world).await);
    assert_eq!(world.data().rows("tally").of("subject", &*subject).set("count", 1), 1);
    let place = format!("count of the entries about {subject}");
    world.is_found(&place, "was edited: its code does not fit").await;
    let app = world.open().await;
    let [c1, w2] = world.actors(&app, ["handler-c1", "handler-w2"]);
    c1.reveal(&case).clear().await.fails(503, "audit-unavailable");
    w2.reveal(&other).clear().await.is(200);
}

/// So many entries about nobody that a start does not read those about callers.
pub(crate) async fn grown(world: &World) -> std::sync::Arc<callervault::http::App> {
    let app = world.open().await;
    for _ in 0..2_100 {
        app.vault().unwrap().note_unlock("test").await.unwrap();
    }
    drop(app);
    world.open().await
}

/// Counts that are lower or higher than the entries say, under a code that fits: a row that was put back.
#[tokio::test]
async fn fsck_compares_the_counts_with_the_entries() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let subject = world.subject(&app, &case).await;
    drop(app);
    drop(world.open().await);
    let old = world.data().rows("tally").of("subject", &*subject).kept();
    let app = world.open().await;
    for _ in 0..5 {
        world.actor(&app, "handler-c1").reveal(&case).masked().await.is(200);
    }
    drop(app);
    drop(grown(&world).await);
    assert_eq!(world.fsck().await, []);
    let data = world.data();
    data.rows("tally").of("subject", &*subject).delete();
    data.insert(&old);
    drop(data);
    let place = format!("count of the entries about {subject}");
    world.is_found(&place, "is lower than their number").await;
    world.data().rows("tally").of("subject", &*subject).delete();
    world.is_found(&place, "is missing").await;
}

/// The next log counts from 1.
#[tokio::test]
async fn the_next_log_counts_anew() {
    let (mut world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let subject = world.subject(&app, &case).await;
    drop(app);
    let yesterday = world.backup();
    let app = world.open().await;
    world.actor(&app, "handler-c1").reveal(&case).clear().await.is(200);
    drop(app);
    world.restore(&yesterday);
    let token = restarted(&world);
    let app = world.open().await;
    world.readmitted(&app.vault().unwrap(), &token).await;
    world.actor(&app, "handler-c1").reveal(&case).clear().await.is(200);
    assert_eq!(numbers(&world, &app, &subject).await, [1], "the read");
    holds(&copy(&world, &app).await, &[]);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// A log of other entries under the log's own key: what somebody could make who controls the vault.
fn forged(whole: &Copy, keys: &dyn LogKeys, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Copy {
    let copy = whole.again();
    let note = std::fs::read_to_string(copy.path("checkpoint")).unwrap();
    let checkpoint = signed(&copy.key, &note);
    let name = |kind: &str, size: usize| format!("tile/{kind}/000.p/{size}");
    let size = usize::try_from(checkpoint.size).unwrap();
    assert!(size < 256, "one tile: {size}");
    let bundle = std::fs::read(copy.path(&name("entries", size))).unwrap();
    let entries = decode_bundle(&bundle).unwrap();
    let mut entries: Vec<Vec<u8>> = entries.iter().map(|entry| entry.to_vec()).collect();
    change(&mut entries);
    std::fs::remove_dir_all(copy.path("tile")).unwrap();
    let mut frontier = Frontier::new();
    let mut hashes = Vec::new();
    for entry in &entries {
        let hash = leaf_hash(entry);
        frontier.push(hash);
        hashes.extend_from_slice(hash.as_bytes());
    }
    put(copy.dir.path(), &name("0", entries.len()), &hashes);
    put(
        copy.dir.path(),
        &name("entries", entries.len()),
        &encode_bundle(&entries).unwrap(),
    );
    let checkpoint = Checkpoint {
        origin: checkpoint.origin,
        size: frontier.size(),
        root: frontier.root(),
    };
    put(
        copy.dir.path(),
        "checkpoint",
        keys.sign(&checkpoint).unwrap().as_bytes(),
    );
    copy
}

fn position(entries: &[Vec<u8>], is_it: impl Fn(&Value) -> bool) -> usize {
    let leaf = |entry: &Vec<u8>| serde_json::from_slice::<Value>(entry).unwrap();
    entries.iter().position(|entry| is_it(&leaf(entry))).unwrap()
}

/// Whoever has the log's key and leaves out an entry about a caller is found out by each of three verifiers, unless it is the last one.
#[tokio::test]
async fn a_hidden_entry_is_a_gap_for_every_verifier() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let handler = world.actor(&app, "handler-c1");
    for _ in 0..4 {
        handler.reveal(&case).clear().await.is(200);
    }
    let whole = copy(&world, &app).await;
    drop(app);
    let keys = world.keyring().await;
    let is_read = |leaf: &Value| leaf["act"] == "field.reveal";
    holds(&forged(&whole, &keys, |_| {}), &[]);
    let hidden = forged(&whole, &keys, |entries| {
        let at = position(entries, is_read);
        entries.remove(at);
    });
    caught("a read is left out", &hidden, &[], "an entry is hidden");
    let twice = forged(&whole, &keys, |entries| {
        let at = position(entries, is_read);
        entries.insert(at, entries[at].clone());
    });
    caught("a read comes twice", &twice, &[], "an entry is hidden, or comes twice");
    let uncounted = forged(&whole, &keys, |entries| {
        let at = position(entries, is_read);
        let mut leaf: Value = serde_json::from_slice(&entries[at]).unwrap();
        leaf.as_object_mut().unwrap().remove("nth");
        entries[at] = serde_json_canonicalizer::to_vec(&leaf).unwrap();
    });
    caught("a read without a number", &uncounted, &[], "has no count");
    for copy in [&hidden, &twice, &uncounted] {
        if let Some(output) = go(copy) {
            assert_eq!(
                output.status.code(),
                Some(1),
                "{}",
                String::from_utf8_lossy(&output.stdout)
            );
        }
    }
}
