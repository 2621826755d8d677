//! What auditors find in the log: searches, held against a plain scan of the leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use callervault::clock::Fixed;
use callervault::http::App;
use callervault::merkle::{decode_bundle, tiles_of};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::{Actor, Answer, World, caller};

/// Names and values.
pub(crate) type Query = Vec<(&'static str, String)>;

pub(crate) fn query<const N: usize>(pairs: [(&'static str, &str); N]) -> Query {
    pairs.map(|(name, value)| (name, value.to_owned())).to_vec()
}

/// Two callers, tickets in two departments, reads in both forms, refusals, an hour apart each.
pub(crate) async fn busy() -> (World, Arc<App>, Arc<Fixed>) {
    let world = World::closed().await;
    let start: Timestamp = "2026-12-01T00:30:00Z".parse().unwrap();
    let clock = Arc::new(Fixed::at(start));
    let app = world.open_at(Arc::clone(&clock) as Arc<_>).await;
    let one = world.case(&app, "C1").await;
    let two = world.case_of(&app, "W2", caller("李四光", "13700002222")).await;
    let [c1, w2, e4] = world.actors(&app, ["handler-c1", "handler-w2", "handler-e4"]);
    for step in 0..40_i64 {
        // The clock goes backwards now and then.
        let hours = if step % 7 == 6 { step - 5 } else { step };
        clock.set(start + SignedDuration::from_hours(hours));
        let form = if step % 3 == 0 { "clear" } else { "masked" };
        let read = match step % 4 {
            0 | 1 => c1.reveal(&one),
            2 => w2.reveal(&two),
            _ => e4.reveal(&two),
        };
        read.form(form).await;
        c1.reveal_of_ticket(&one.no).clear().await;
    }
    (world, app, clock)
}

fn path(query: &[(&str, String)]) -> String {
    let pair = |(name, value): &(&str, String)| format!("{name}={}", value.replace('+', "%2B"));
    let pairs: Vec<String> = query.iter().map(pair).collect();
    format!("/v1/audit/events?{}", pairs.join("&"))
}

pub(crate) async fn found(auditor: Actor<'_>, query: &[(&str, String)]) -> Answer {
    auditor.get(path(query)).await.is(200)
}

fn indexes(answer: &Answer) -> Vec<u64> {
    let entries = answer.json()["entries"].as_array().unwrap().clone();
    entries.iter().map(|entry| entry["index"].as_u64().unwrap()).collect()
}

/// All pages of a search.
pub(crate) async fn all(auditor: Actor<'_>, query: &[(&'static str, String)], limit: usize) -> Vec<u64> {
    let mut query = query.to_vec();
    query.push(("limit", limit.to_string()));
    let mut seen = Vec::new();
    loop {
        let page = found(auditor, &query).await;
        seen.extend(indexes(&page));
        query.retain(|(name, _)| *name != "after");
        match page.json()["next"].as_str() {
            None => return seen,
            Some(next) => query.push(("after", next.to_owned())),
        }
    }
}

/// Every leaf, from the bundles that any client of the log downloads.
pub(crate) async fn leaves(auditor: Actor<'_>) -> Vec<Value> {
    let mut leaves = Vec::new();
    let note = auditor.get("/v1/audit/checkpoint").await.text;
    let size: u64 = note.lines().nth(1).unwrap().parse().unwrap();
    for path in tiles_of(size).unwrap() {
        if path.to_string().starts_with("tile/entries/") {
            let bundle = auditor.get(format!("/v1/audit/{path}")).await.is(200).bytes;
            let entries = decode_bundle(&bundle).unwrap();
            let leaf = |entry: &&[u8]| serde_json::from_slice::<Value>(entry).unwrap();
            leaves.extend(entries.iter().map(leaf));
        }
    }
    leaves
}

/// Whether a leaf fits a query: written once more, without the program's help.
pub(crate) fn fits(leaf: &Value, query: &[(&str, String)]) -> bool {
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

pub(crate) fn oracle(leaves: &[Value], query: &[(&str, String)], below: u64) -> Vec<u64> {
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
    let auditor = world.actor(&app, "auditor");
    let leaves = leaves(auditor).await;
    let size = leaves.len() as u64;
    // Later searches stand in the log too, an hour later than everything else.
    clock.set("2027-01-01T00:00:00Z".parse().unwrap());
    let mut numbers = Numbers(2026);
    for _ in 0..120 {
        let query = random_query(&mut numbers, &leaves);
        let right = oracle(&leaves, &query, size);
        let mut all = all(auditor, &query, 1 + numbers.below(60)).await;
        all.retain(|index| *index < size);
        assert_eq!(all, right, "{query:?}");
        let page = found(auditor, &query).await;
        let later = page.index() - size;
        let page = page.json();
        assert_eq!(page["exact"], true);
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
    let auditor = world.actor(&app, "auditor");
    let leaves = leaves(auditor).await;
    let reads = query([("act", "field.reveal"), ("out", "granted")]);
    let right = oracle(&leaves, &reads, leaves.len() as u64);
    let page = found(auditor, &reads).await.json();
    assert_eq!((&page["count"], &page["exact"]), (&json!(right.len()), &json!(true)));
    let newest = &leaves[right[0] as usize];
    let [ticket, subject] = ["ticket", "subject"].map(|key| newest[key].as_str().unwrap());
    let own = found(auditor, &query([("ticket", ticket), ("subject", subject)])).await;
    let entry = auditor.entry(&own).await;
    assert_eq!(entry["act"], "log.search");
    assert_eq!(
        (&entry["ticket"], &entry["subject"]),
        (&newest["ticket"], &newest["subject"])
    );
    // What is answered of an entry is what the entry itself answers.
    let same = auditor.get(format!("/v1/audit/events/{}", right[0])).await.json();
    assert_eq!(page["entries"][0]["leaf"], same["leaf"]);
    assert_eq!(page["entries"][0]["leaf_hash"], same["leaf_hash"]);
}

#[tokio::test]
async fn pages_are_complete_and_without_repeats_while_the_log_grows() {
    let (world, app, _) = busy().await;
    let [auditor, handler] = world.actors(&app, ["auditor", "handler-c1"]);
    let leaves = leaves(auditor).await;
    let mut query = query([("dept", "C1"), ("limit", "7")]);
    let right = oracle(&leaves, &query[..1], leaves.len() as u64);
    let mut seen = Vec::new();
    loop {
        let page = found(auditor, &query).await;
        seen.extend(indexes(&page));
        // Each page is followed by new entries that fit.
        handler.get("/v1/tickets").await;
        query.truncate(2);
        match page.json()["next"].as_str() {
            None => break,
            Some(next) => query.push(("after", next.to_owned())),
        }
    }
    assert_eq!(seen, right);
    assert_eq!(seen.len(), seen.iter().collect::<BTreeSet<_>>().len());
}

#[tokio::test]
async fn bad_searches() {
    let (world, app, _) = busy().await;
    let auditor = world.actor(&app, "auditor");
    let page = found(auditor, &query([("dept", "C1"), ("limit", "3")])).await;
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
        let answer = auditor.get(format!("/v1/audit/events?{query}")).await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, problem), "{query}");
    }
    // A mistyped code finds nothing, as one without entries does; that there is no such department is said.
    for query in ["dept=ZZ", "dept=ZZ&act=field.reveal"] {
        let answer = auditor.get(format!("/v1/audit/events?{query}")).await;
        answer.fails(404, "not-found");
    }
    let none = found(auditor, &query([("dept", "C1"), ("to", "2020-01-01")])).await;
    assert_eq!(none.json()["count"], 0);
    // The same search with another page size is the same search.
    let same = query([("dept", "C1"), ("limit", "200"), ("after", &next)]);
    found(auditor, &same).await;
}

#[tokio::test]
async fn who_may_not() {
    let (world, app, _) = busy().await;
    let page = found(world.actor(&app, "auditor"), &query([("act", "field.reveal")])).await;
    let ticket = json!({"ticket": page.at("/entries/0/leaf/ticket")});
    let mark = json!({"mark": page.at("/entries/0/mark")});
    for who in ["agent", "dispatcher", "handler-c1", "security-admin", "system-admin"] {
        let who = world.actor(&app, who);
        who.get("/v1/audit/events").await.fails(403, "refused");
        who.get("/v1/audit/report?day=2026-12-01").await.fails(403, "refused");
        who.post("/v1/audit/exposure", &ticket).await.fails(403, "refused");
        who.post("/v1/audit/trace", &mark).await.fails(403, "refused");
    }
    let nobody = world.actor(&app, "nobody");
    nobody.get("/v1/audit/events").await.is(401);
}
