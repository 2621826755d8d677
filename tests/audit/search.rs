//! What auditors find in the log: searches, exposure and trace marks, held against a plain scan of the leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use callervault::clock::Fixed;
use callervault::http::App;
use callervault::store::LogIndex;
use callervault::store::log_index::{IndexedEntry, Position, Term, TermKind, Walk};
use callervault::store::sqlite::SqliteLogIndex;
use callervault::vault::life::fsck;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::rows::{Rows, Store};
use crate::support::{Answer, World, caller, passphrase};

/// Two callers, tickets in two departments, reads in both forms, refusals, an hour apart each.
async fn busy() -> (World, Arc<App>, Arc<Fixed>) {
    let (world, app) = World::new().await;
    drop(app);
    let start: Timestamp = "2026-12-01T00:30:00Z".parse().unwrap();
    let clock = Arc::new(Fixed::at(start));
    let app = world.open_at(Arc::clone(&clock) as Arc<_>).await;
    let (one, first) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    let (two, second) = world.ticket_at(&app, "W2", caller("李四光", "13700002222")).await;
    for step in 0..40_i64 {
        // The clock goes backwards now and then.
        let hours = if step % 7 == 6 { step - 5 } else { step };
        clock.set(start + SignedDuration::from_hours(hours));
        let form = if step % 3 == 0 { "clear" } else { "masked" };
        match step % 4 {
            0 | 1 => world.reveal(&app, "handler-c1", &first, &one, form).await,
            2 => world.reveal(&app, "handler-w2", &second, &two, form).await,
            _ => world.reveal(&app, "handler-e4", &second, &two, form).await,
        };
        let body = json!({"purpose": "handle", "fields": ["text"], "form": "clear"});
        world
            .post(&app, "handler-c1", &format!("/v1/tickets/{one}/reveal"), &body)
            .await;
    }
    (world, app, clock)
}

fn path(query: &[(&str, String)]) -> String {
    let pairs: Vec<String> = query
        .iter()
        .map(|(name, value)| format!("{name}={}", value.replace('+', "%2B")))
        .collect();
    format!("/v1/audit/events?{}", pairs.join("&"))
}

async fn found(world: &World, app: &Arc<App>, query: &[(&str, String)]) -> Answer {
    let answer = world.get(app, "auditor", &path(query)).await;
    assert_eq!(answer.status, 200, "{query:?}: {}", answer.text);
    answer
}

fn indexes(answer: &Answer) -> Vec<u64> {
    let entries = answer.json()["entries"].as_array().unwrap().clone();
    entries.iter().map(|entry| entry["index"].as_u64().unwrap()).collect()
}

/// All pages of a search.
async fn all(world: &World, app: &Arc<App>, query: &[(&str, String)], limit: u32) -> Vec<u64> {
    let mut query = query.to_vec();
    query.push(("limit", limit.to_string()));
    let mut seen = Vec::new();
    loop {
        let page = found(world, app, &query).await;
        seen.extend(indexes(&page));
        query.retain(|(name, _)| *name != "after");
        match page.json()["next"].as_str() {
            None => return seen,
            Some(next) => query.push(("after", next.to_owned())),
        }
    }
}

/// Every leaf, from the bundles that any client of the log downloads.
async fn leaves(world: &World, app: &Arc<App>) -> Vec<Value> {
    let mut leaves = Vec::new();
    let note = world.get(app, "auditor", "/v1/audit/checkpoint").await.text;
    let size: u64 = note.lines().nth(1).unwrap().parse().unwrap();
    for path in callervault::merkle::tiles_of(size).unwrap() {
        if path.to_string().starts_with("tile/entries/") {
            let bundle = world.bytes(app, "auditor", &format!("/v1/audit/{path}")).await;
            let entries = callervault::merkle::decode_bundle(&bundle).unwrap();
            leaves.extend(
                entries
                    .iter()
                    .map(|entry| serde_json::from_slice::<Value>(entry).unwrap()),
            );
        }
    }
    leaves
}

/// Whether a leaf fits a query: written once more, without the program's help.
fn fits(leaf: &Value, query: &[(&str, String)]) -> bool {
    let at: Timestamp = leaf["t"].as_str().unwrap().parse().unwrap();
    query.iter().all(|(name, value)| match *name {
        "from" => at >= value.parse().unwrap(),
        "to" => at < value.parse().unwrap(),
        "field" => leaf["fields"]
            .as_array()
            .is_some_and(|fields| fields.contains(&json!(value))),
        name => leaf[name] == json!(value),
    })
}

fn oracle(leaves: &[Value], query: &[(&str, String)], below: u64) -> Vec<u64> {
    let fit = |(index, leaf): (usize, &Value)| fits(leaf, query).then_some(index as u64);
    let mut indexes: Vec<u64> = leaves.iter().enumerate().filter_map(fit).collect();
    indexes.retain(|index| *index < below);
    indexes.reverse();
    indexes
}

/// A small generator of numbers, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

fn random_query(numbers: &mut Numbers, leaves: &[Value]) -> Vec<(&'static str, String)> {
    let names = [
        "actor", "dept", "role", "ticket", "subject", "act", "form", "purpose", "out", "field", "from", "to",
    ];
    let mut query: BTreeMap<&'static str, String> = BTreeMap::new();
    for _ in 0..=numbers.below(3) {
        let name = names[numbers.below(names.len())];
        let leaf = &leaves[numbers.below(leaves.len())];
        let value = match name {
            "from" | "to" => leaf["t"].as_str(),
            "field" => leaf["fields"][0].as_str(),
            name => leaf[name].as_str(),
        };
        let plain = leaf["act"] != "vault.init";
        query.extend(value.filter(|_| plain).map(|value| (name, value.to_owned())));
    }
    query.into_iter().collect()
}

#[tokio::test]
async fn every_search_finds_what_a_scan_of_the_leaves_finds() {
    let (world, app, clock) = busy().await;
    let leaves = leaves(&world, &app).await;
    let size = leaves.len() as u64;
    // Later searches stand in the log too, an hour later than everything else.
    clock.set("2027-01-01T00:00:00Z".parse().unwrap());
    let mut numbers = Numbers(2026);
    for _ in 0..120 {
        let query = random_query(&mut numbers, &leaves);
        let right = oracle(&leaves, &query, size);
        let mut all = all(&world, &app, &query, 1 + u32::try_from(numbers.below(60)).unwrap()).await;
        all.retain(|index| *index < size);
        assert_eq!(all, right, "{query:?}");
        let page = found(&world, &app, &query).await.json();
        assert_eq!(page["exact"], true);
        let later = page["audit"]["index"].as_u64().unwrap() - size;
        let count = page["count"].as_u64().unwrap();
        assert!(
            (right.len() as u64..=right.len() as u64 + later).contains(&count),
            "{query:?} {count}"
        );
    }
}

#[tokio::test]
async fn a_page_says_how_many_and_the_search_is_in_the_log() {
    let (world, app, _) = busy().await;
    let leaves = leaves(&world, &app).await;
    let reads = [("act", "field.reveal".to_owned()), ("out", "granted".to_owned())];
    let right = oracle(&leaves, &reads, leaves.len() as u64);
    let page = found(&world, &app, &reads).await.json();
    assert_eq!(
        (page["count"].as_u64(), page["exact"].as_bool()),
        (Some(right.len() as u64), Some(true))
    );
    let (ticket, subject) = (
        leaves[right[0] as usize]["ticket"].clone(),
        leaves[right[0] as usize]["subject"].clone(),
    );
    let query = [
        ("ticket", ticket.as_str().unwrap().to_owned()),
        ("subject", subject.as_str().unwrap().to_owned()),
    ];
    let own = found(&world, &app, &query).await.json()["audit"]["index"]
        .as_u64()
        .unwrap();
    let entry = world
        .get(&app, "auditor", &format!("/v1/audit/events/{own}"))
        .await
        .json();
    assert_eq!(entry["leaf"]["act"], "log.search");
    assert_eq!(
        (&entry["leaf"]["ticket"], &entry["leaf"]["subject"]),
        (&ticket, &subject)
    );
    // What is answered of an entry is what the entry itself answers.
    let same = world
        .get(&app, "auditor", &format!("/v1/audit/events/{}", right[0]))
        .await
        .json();
    assert_eq!(page["entries"][0]["leaf"], same["leaf"]);
    assert_eq!(page["entries"][0]["leaf_hash"], same["leaf_hash"]);
}

#[tokio::test]
async fn pages_are_complete_and_without_repeats_while_the_log_grows() {
    let (world, app, _) = busy().await;
    let leaves = leaves(&world, &app).await;
    let query = [("dept", "C1".to_owned())];
    let right = oracle(&leaves, &query, leaves.len() as u64);
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let mut query = vec![query[0].clone(), ("limit", "7".to_owned())];
        query.extend(after.map(|after| ("after", after)));
        let page = found(&world, &app, &query).await;
        seen.extend(indexes(&page));
        // Each page is followed by new entries that fit.
        world.get(&app, "handler-c1", "/v1/tickets").await;
        match page.json()["next"].as_str() {
            None => break,
            Some(next) => after = Some(next.to_owned()),
        }
    }
    assert_eq!(seen, right);
    assert_eq!(seen.len(), seen.iter().collect::<BTreeSet<_>>().len());
}

#[tokio::test]
async fn bad_searches() {
    let (world, app, _) = busy().await;
    let page = found(&world, &app, &[("dept", "C1".to_owned()), ("limit", "3".to_owned())]).await;
    let next = page.at("/next");
    for (query, problem) in [
        (format!("dept=W2&after={next}"), "bad-cursor"),
        (format!("after={next}"), "bad-cursor"),
        ("dept=C1&after=AAAA".to_owned(), "bad-cursor"),
        ("dept=C1&after=%20".to_owned(), "bad-cursor"),
        (format!("dept=C1&after={next}A"), "bad-cursor"),
        ("limit=0".to_owned(), "bad-query"),
        ("limit=201".to_owned(), "bad-query"),
        ("limit=18446744073709551616".to_owned(), "bad-query"),
        ("limit=-1".to_owned(), "bad-query"),
        ("limit=".to_owned(), "bad-query"),
        ("dept=C1&dept=C1".to_owned(), "bad-query"),
        ("colour=red".to_owned(), "bad-query"),
        ("act=field.revael".to_owned(), "bad-query"),
        ("role=emperor".to_owned(), "bad-query"),
        ("out=perhaps".to_owned(), "bad-query"),
        ("form=opaque".to_owned(), "bad-query"),
        ("purpose=fun".to_owned(), "bad-query"),
        ("ticket=12345678901234".to_owned(), "bad-query"),
        ("subject=C100-0000-0000-0000".to_owned(), "bad-query"),
        ("actor=nobody".to_owned(), "bad-query"),
        ("from=yesterday".to_owned(), "bad-query"),
        ("field=a%27b".to_owned(), "bad-query"),
    ] {
        let answer = world.get(&app, "auditor", &format!("/v1/audit/events?{query}")).await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, problem), "{query}");
    }
    // The same search with another page size is the same search.
    let query = [("dept", "C1".to_owned()), ("limit", "200".to_owned()), ("after", next)];
    found(&world, &app, &query).await;
}

#[tokio::test]
async fn who_may_not() {
    let (world, app, _) = busy().await;
    let page = found(&world, &app, &[("act", "field.reveal".to_owned())]).await;
    let ticket = json!({"ticket": page.at("/entries/0/leaf/ticket")});
    let mark = json!({"mark": page.at("/entries/0/mark")});
    for who in ["agent", "dispatcher", "handler-c1", "security-admin", "system-admin"] {
        let answers = [
            world.get(&app, who, "/v1/audit/events").await,
            world.get(&app, who, "/v1/audit/report?day=2026-12-01").await,
            world.post(&app, who, "/v1/audit/exposure", &ticket).await,
            world.post(&app, who, "/v1/audit/trace", &mark).await,
        ];
        for answer in answers {
            assert_eq!((answer.status, answer.problem().as_str()), (403, "refused"), "{who}");
        }
    }
    assert_eq!(world.get(&app, "nobody", "/v1/audit/events").await.status, 401);
}

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

#[tokio::test]
async fn the_index_may_be_lost_edited_or_behind() {
    let (world, app, _) = busy().await;
    let query = [("out", "granted".to_owned()), ("form", "clear".to_owned())];
    let right = all(&world, &app, &query, 200).await;
    let file = world.places.log_index();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    drop(app);
    assert_eq!(world.fsck().await, []);

    // Edited: it hides entries and shows others, which their own leaves give away.
    mislead(&Store::open(&file), right[0], right[1]);
    let app = world.open().await;
    assert_eq!(all(&world, &app, &query, 200).await, right[1..]);
    drop(app);
    let findings: Vec<String> = world.fsck().await.into_iter().map(|finding| finding.what).collect();
    assert_eq!(findings.len(), 3, "{findings:?}");
    assert!(findings[0].contains("form clear"), "{findings:?}");
    assert!(findings[1].contains("trace marks"), "{findings:?}");
    assert!(findings[2].contains("times"), "{findings:?}");

    // Made again.
    fsck::rebuild_index(&world.places, &passphrase(), &|_| {})
        .await
        .unwrap();
    assert_eq!(world.fsck().await, []);
    let app = world.open().await;
    assert_eq!(all(&world, &app, &query, 200).await, right);
    drop(app);

    // Marks in other lists than their entries': one that is hidden so, and two that no entry has there.
    let moved: fn(Rows<'_>) = |marks| marks.last("idx").add("segment", 1);
    let twice: fn(Rows<'_>) = |marks| marks.store.insert(&marks.kept_first().with("segment", 3));
    let beyond: fn(Rows<'_>) = |marks| {
        let mark = marks.kept_first().with("segment", 0).with("idx", 1_000_000_000_000);
        marks.store.insert(&mark);
    };
    for edit in [moved, twice, beyond] {
        edit(Store::open(&file).rows("mark"));
        let findings = world.fsck().await;
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].what.contains("trace marks"), "{findings:?}");
        fsck::rebuild_index(&world.places, &passphrase(), &|_| {})
            .await
            .unwrap();
    }

    // Edited so that it cannot go on: its place put back, and a table gone.
    let hash: Vec<u8> = world.data().rows("log_entry").of("idx", 19).first("leaf_hash");
    let put_back = |index: Store| {
        index.rows("position").set("size", 20);
        index.rows("position").set("last", &*hash);
    };
    let without_marks = |index: Store| index.without("mark");
    let edits: [(&str, &dyn Fn(Store)); 2] = [("put back", &put_back), ("without marks", &without_marks)];
    for (what, edit) in edits {
        edit(Store::open(&file));
        assert_ne!(world.fsck().await, [], "{what}");
        let app = world.open().await;
        assert_eq!(all(&world, &app, &query, 200).await, right, "{what}: made again");
        drop(app);
        assert_eq!(world.fsck().await, [], "{what}");
    }

    // Lost, and no database at all.
    for damage in [
        "",
        "not a database, whatever it says on the label; long enough to be read as one",
    ] {
        std::fs::remove_file(&file).unwrap();
        if !damage.is_empty() {
            std::fs::write(&file, damage).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
            assert_eq!(world.fsck().await.len(), 1);
        } else {
            assert_eq!(world.fsck().await, []);
        }
        let app = world.open().await;
        assert_eq!(all(&world, &app, &query, 200).await, right);
    }
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn an_index_of_another_log_is_not_used() {
    let (one, app, _) = busy().await;
    let query = [("act", "field.reveal".to_owned())];
    let right = all(&one, &app, &query, 200).await;
    let (other, its) = World::new().await;
    found(&other, &its, &query).await;
    drop((app, its));
    std::fs::copy(other.places.log_index(), one.places.log_index()).unwrap();
    assert_eq!(one.fsck().await.len(), 1);
    let app = one.open().await;
    assert_eq!(all(&one, &app, &query, 200).await, right);
}

fn keys(object: &Value) -> BTreeSet<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

/// The properties of a schema and of those it is made of.
fn described_keys(described: &Value, name: &str) -> BTreeSet<String> {
    fn of(described: &Value, schema: &Value) -> BTreeSet<String> {
        let own = schema.get("properties").map(keys).unwrap_or_default();
        let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
        let named = schema.get("$ref").and_then(Value::as_str).map(|path| {
            let target = described.pointer(path.trim_start_matches('#')).unwrap();
            of(described, target)
        });
        own.into_iter()
            .chain(parts.flat_map(|part| of(described, part)))
            .chain(named.into_iter().flatten())
            .collect()
    }
    of(described, &described["components"]["schemas"][name])
}

#[tokio::test]
async fn exposure_is_what_a_scan_of_the_leaves_gives() {
    let (world, app, _) = busy().await;
    let leaves = leaves(&world, &app).await;
    let reads = [("act", "field.reveal".to_owned()), ("out", "granted".to_owned())];
    let described = world.get(&app, "nobody", "/openapi.json").await.json();
    let from = "2026-12-01T05:00:00Z".to_owned();
    for name in ["ticket", "subject", "actor"] {
        for from in [None, Some(from.clone())] {
            let any = leaves.iter().rfind(|leaf| fits(leaf, &reads)).unwrap();
            let mut query = reads.to_vec();
            query.push((name, any[name].as_str().unwrap().to_owned()));
            query.extend(from.clone().map(|from| ("from", from)));
            let body = json!({name: any[name], "from": from});
            let answer = world.post(&app, "auditor", "/v1/audit/exposure", &body).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            let right = oracle(&leaves, &query, leaves.len() as u64);
            assert_eq!(answer.json()["reads"], right.len());
            let mut groups: BTreeMap<String, Vec<u64>> = BTreeMap::new();
            for index in right {
                let leaf = &leaves[index as usize];
                let key = ["actor", "dept", "role", "ticket", "subject", "fields", "form"].map(|key| leaf[key].clone());
                groups.entry(format!("{key:?}")).or_default().push(index);
            }
            let told = answer.json()["groups"].as_array().unwrap().clone();
            assert_eq!(told.len(), groups.len());
            for group in told {
                assert_eq!(
                    described_keys(&described, "Exposed"),
                    keys(&group),
                    "as OpenAPI describes it"
                );
                let key =
                    ["actor", "dept", "role", "ticket", "subject", "fields", "form"].map(|key| group[key].clone());
                let right = &groups[&format!("{key:?}")];
                assert_eq!(group["count"], right.len());
                assert_eq!(group["indexes"], json!(right[..right.len().min(20)]));
                let times: BTreeSet<&str> = right
                    .iter()
                    .map(|index| leaves[*index as usize]["t"].as_str().unwrap())
                    .collect();
                assert_eq!(group["first"], **times.first().unwrap());
                assert_eq!(group["last"], **times.last().unwrap());
            }
        }
    }
    for (body, problem) in [
        (json!({}), "exactly-one"),
        (
            json!({"ticket": leaves.iter().rfind(|leaf| leaf["ticket"].is_string()).unwrap()["ticket"], "actor": world.id("agent")}),
            "exactly-one",
        ),
        (json!({"actor": "somebody"}), "mistyped"),
        (json!({"subject": "C1"}), "mistyped"),
    ] {
        let answer = world.post(&app, "auditor", "/v1/audit/exposure", &body).await;
        assert_eq!((answer.status, answer.problem().as_str()), (422, problem));
    }
}

#[tokio::test]
async fn a_mark_leads_to_the_read() {
    let (world, app) = World::new().await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    let shown = world.reveal(&app, "handler-c1", &reference, &no, "clear").await;
    let other = world.reveal(&app, "handler-c1", &reference, &no, "masked").await;
    let mark = shown.at("/mark");
    assert_eq!(mark.len(), 14);
    assert_ne!(mark, other.at("/mark"));
    for typed in [mark.clone(), mark.to_lowercase().replace('-', "")] {
        let traced = world
            .post(&app, "auditor", "/v1/audit/trace", &json!({"mark": typed}))
            .await;
        assert_eq!(traced.status, 200, "{}", traced.text);
        let traced = traced.json();
        assert_eq!(traced["entries"].as_array().unwrap().len(), 1);
        let entry = &traced["entries"][0];
        assert_eq!(entry["index"], shown.json()["audit"]["index"]);
        assert_eq!(entry["leaf"]["actor"], world.id("handler-c1"));
        assert_eq!(
            (&entry["leaf"]["ticket"], &entry["leaf"]["form"]),
            (&json!(no), &json!("clear"))
        );
        assert_eq!(entry["leaf"]["fields"], json!(["callback_number"]));
    }
    let digit = if mark.starts_with('0') { "1" } else { "0" };
    let wrong = world
        .post(
            &app,
            "auditor",
            "/v1/audit/trace",
            &json!({"mark": format!("{digit}{}", &mark[1..])}),
        )
        .await;
    assert_eq!((wrong.status, wrong.problem().as_str()), (400, "mistyped-mark"));
    // A mark of an entry that showed nothing leads nowhere.
    let entry = world.get(&app, "auditor", "/v1/audit/events/0").await;
    let none = world
        .post(&app, "auditor", "/v1/audit/trace", &json!({"mark": entry.at("/mark")}))
        .await;
    assert_eq!((none.status, none.problem().as_str()), (404, "not-found"));
    // The ticket's own fields carry one too.
    let body = json!({"purpose": "handle", "fields": ["text"], "form": "clear"});
    let text = world
        .post(&app, "handler-c1", &format!("/v1/tickets/{no}/reveal"), &body)
        .await;
    let traced = world
        .post(&app, "auditor", "/v1/audit/trace", &json!({"mark": text.at("/mark")}))
        .await;
    assert_eq!(traced.json()["entries"][0]["index"], text.json()["audit"]["index"]);
}

#[tokio::test]
async fn a_blanked_or_missing_entry_makes_no_smaller_answer() {
    let (world, app, _) = busy().await;
    let query = [("out", "granted".to_owned()), ("form", "clear".to_owned())];
    let right = all(&world, &app, &query, 200).await;
    let actor = world.id("handler-c1").to_owned();
    let attacks: [fn(Rows<'_>); 2] = [|entry| _ = entry.set("body", []), |entry| _ = entry.delete()];
    for attack in attacks {
        let entry = i64::try_from(right[0]).unwrap();
        attack(world.data().rows("log_entry").of("idx", entry));
        let found = world
            .get(&app, "auditor", "/v1/audit/events?out=granted&form=clear")
            .await;
        assert_eq!(
            (found.status, found.problem().as_str()),
            (500, "integrity"),
            "{}",
            found.text
        );
        let exposed = world
            .post(&app, "auditor", "/v1/audit/exposure", &json!({"actor": actor}))
            .await;
        assert_eq!(
            (exposed.status, exposed.problem().as_str()),
            (500, "integrity"),
            "{}",
            exposed.text
        );
    }
}
