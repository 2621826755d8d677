//! The list of a department's tickets: what comes next comes first, in pages that an index gives.

use std::collections::BTreeMap;
use std::sync::Arc;

use callervault::clock::Fixed;
use callervault::http::App;
use callervault::model::principals::Role;
use futures_util::future::join_all;
use jiff::Span;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::deadlines::{at, moment, page, taken};
use super::life::busy;
use super::names::called;
use crate::support::approvals::{merge, person};
use crate::support::{Actor, NAME, NUMBER, World, caller, intake, report};

const NOW: &str = "2026-11-02T10:00:00+08:00";
/// What stands in place of a deadline where there is none.
const NONE: &str = "9999-12-31";

/// Every ticket of the list, page by page.
async fn all(actor: Actor<'_>, query: &str, limit: usize) -> Vec<Value> {
    let mut tickets = Vec::new();
    let mut after = String::new();
    for _ in 0..500 {
        let path = format!("/v1/tickets?limit={limit}{query}{after}");
        let page = actor.get(path).await.is(200).json();
        let here = page["tickets"].as_array().unwrap();
        assert!(here.len() <= limit);
        tickets.extend(here.iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return tickets,
        }
    }
    unreachable!("the list does not end: {query}");
}

fn numbers(tickets: &[Value]) -> Vec<&str> {
    tickets
        .iter()
        .map(|ticket| ticket["ticket"].as_str().unwrap())
        .collect()
}

/// A ticket as the test knows it.
#[derive(Clone, Debug)]
struct Known {
    no: String,
    /// When it was taken, among the others.
    age: usize,
    page: Value,
}

impl Known {
    fn is_open(&self) -> bool {
        self.word("state") != "withdrawn"
    }

    fn word(&self, key: &str) -> &str {
        self.page[key].as_str().unwrap_or_default()
    }

    /// The order of the queue: urgency, deadline, age.
    fn turn(&self) -> (usize, String, usize) {
        let urgencies = ["emergency", "urgent", "normal"];
        let urgency = urgencies.iter().position(|word| *word == self.word("urgency"));
        let due = self.page["due"].as_str().unwrap_or(NONE).to_owned();
        (urgency.unwrap(), due, self.age)
    }
}

/// Numbers of which a ticket is made: its category, urgency and place, how far it has come, and the day.
type Numbers = (usize, usize, usize, usize, i64);

const CATEGORIES: [&str; 2] = ["noise", "water"];
const URGENCIES: [&str; 3] = ["normal", "urgent", "emergency"];
const TOWNSHIPS: [&str; 2] = ["310113", "310118101"];

/// Takes a ticket and leads it so many steps on.
async fn made(world: &World, app: &Arc<App>, clock: &Fixed, (age, numbers): (usize, Numbers)) -> String {
    let (category, urgency, township, steps, day) = numbers;
    let now = moment(NOW).checked_add(Span::new().hours(24 * day).seconds(age as i64));
    clock.set(now.unwrap());
    let [agent, dispatcher, handler] = world.actors(app, ["agent", "dispatcher", "handler-c1"]);
    let mut call = intake(caller(NAME, NUMBER));
    call["call"]["received_at"] = json!("2026-01-05T09:00:00+08:00");
    call["ticket"]["category"] = json!(CATEGORIES[category % 2]);
    call["ticket"]["urgency"] = json!(URGENCIES[urgency % 3]);
    call["ticket"]["township"] = json!(TOWNSHIPS[township % 2]);
    let no = agent.post("/v1/intake", &call).await.is(201).case().no;
    let supervised = steps % 3 == 0;
    let steps = steps % 5;
    if steps > 0 {
        dispatcher.dispatch(&no, "C1").await.is(200);
    }
    if steps > 1 {
        handler.step(&no, "sign", json!({})).await.is(200);
    }
    if steps > 2 {
        handler
            .step(&no, "feedback", json!({"reason": "已办", "reply": "已处理"}))
            .await
            .is(200);
    }
    if steps > 3 {
        dispatcher
            .step(&no, "withdraw", json!({"reason": "撤诉"}))
            .await
            .is(200);
    } else if supervised {
        let supervisor = world.actor(app, "supervisor");
        supervisor
            .step(&no, "supervise", json!({"reason": "领导批示"}))
            .await
            .is(200);
    }
    no
}

/// Compares a list with what the test expects: those that the filter takes, in turn.
async fn is_listed(actor: Actor<'_>, query: &str, known: &[Known], takes: impl Fn(&Known) -> bool) {
    let mut expected: Vec<&Known> = known.iter().filter(|ticket| takes(ticket)).collect();
    expected.sort_by_key(|ticket| ticket.turn());
    let expected: Vec<&str> = expected.iter().map(|ticket| ticket.no.as_str()).collect();
    let expected = called(actor, &expected).await;
    for limit in [1, 3, 200] {
        let listed = all(actor, query, limit).await;
        assert_eq!(numbers(&listed), expected, "{query} by {limit}");
    }
}

/// Each filter alone, and some together.
async fn by_each_filter(dispatcher: Actor<'_>, tickets: &[Known]) {
    for (key, words) in [
        (
            "state",
            &["accepted", "dispatched", "signed", "feedback", "withdrawn"][..],
        ),
        ("urgency", &URGENCIES),
        ("category", &CATEGORIES),
        ("township", &TOWNSHIPS),
        ("card", &["yellow", "red"]),
    ] {
        for word in words {
            let query = format!("&{key}={word}");
            let of_state = |ticket: &Known| key == "state" || ticket.is_open();
            is_listed(dispatcher, &query, tickets, |ticket| {
                ticket.word(key) == *word && of_state(ticket)
            })
            .await;
        }
    }
    for supervised in [true, false] {
        let takes = |ticket: &Known| ticket.page["supervised"] == supervised && ticket.is_open();
        is_listed(dispatcher, &format!("&supervised={supervised}"), tickets, takes).await;
    }
    let early = |ticket: &Known| ticket.page["due"].as_str().unwrap_or(NONE) < "2026-11-11";
    is_listed(dispatcher, "&due_before=2026-11-11", tickets, early).await;
    let all_of_it =
        |ticket: &Known| early(ticket) && ticket.word("urgency") == "normal" && ticket.word("state") == "signed";
    let query = "&due_before=2026-11-11&urgency=normal&state=signed";
    is_listed(dispatcher, query, tickets, all_of_it).await;
}

async fn filtered(numbers_of: Vec<Numbers>) {
    let (mut world, app, clock) = at(NOW, &[]).await;
    let supervisor = person("supervisor", Role::Supervisor);
    world.hire(&app.vault().unwrap(), "security-admin", supervisor).await;
    let mut known = Vec::new();
    for one in numbers_of.into_iter().enumerate() {
        let no = made(&world, &app, &clock, one).await;
        known.push((one.0, one.1.4, no));
    }
    // Days that were not in order are in the ages.
    known.sort_by_key(|(nth, day, _)| (*day, *nth));
    clock.set(moment("2026-11-10T09:00:00+08:00"));
    let mut tickets = Vec::new();
    for (age, (_, _, no)) in known.into_iter().enumerate() {
        let page = page(&world, &app, &no).await;
        tickets.push(Known { no, age, page });
    }
    let [dispatcher, handler] = world.actors(&app, ["dispatcher", "handler-c1"]);
    is_listed(dispatcher, "", &tickets, Known::is_open).await;
    let held = |ticket: &Known| ticket.word("holder") == "C1" && ticket.is_open();
    is_listed(handler, "", &tickets, held).await;
    by_each_filter(dispatcher, &tickets).await;
    let newest = all(dispatcher, "&order=newest", 7).await;
    let mut expected: Vec<&Known> = tickets.iter().collect();
    expected.sort_by_key(|ticket| std::cmp::Reverse(ticket.age));
    assert_eq!(
        numbers(&newest),
        expected.iter().map(|ticket| ticket.no.as_str()).collect::<Vec<_>>()
    );
    for line in &newest {
        let page = &tickets.iter().find(|ticket| line["ticket"] == ticket.no).unwrap().page;
        for key in ["urgency", "due", "sign_due", "card", "supervised", "next", "state"] {
            assert_eq!(line.get(key), page.get(key), "{key}");
        }
    }
    counted(dispatcher, &tickets, |ticket| ticket.word("holder") == "H0", |_| true).await;
    counted(handler, &tickets, |ticket| ticket.word("holder") == "C1", |_| false).await;
}

/// Compares the counts with those of the test.
async fn counted(actor: Actor<'_>, tickets: &[Known], held: impl Fn(&Known) -> bool, taken: impl Fn(&Known) -> bool) {
    let counts = actor.get("/v1/tickets/counts").await.is(200).json();
    for one in counts["states"].as_array().unwrap() {
        let here = tickets.iter().filter(|ticket| one["state"] == ticket.word("state"));
        let (held, taken) = (
            here.clone().filter(|one| held(one)).count(),
            here.filter(|one| taken(one)).count(),
        );
        assert_eq!((&one["held"], &one["taken"]), (&json!(held), &json!(taken)), "{one}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, max_shrink_iters: 12, ..ProptestConfig::default() })]

    /// Whatever tickets there are, each filter shows those it should, in turn, however long the pages are; and the counts are right.
    #[test]
    fn each_list_is_complete_and_in_turn(numbers in prop::collection::vec((0_usize..2, 0_usize..3, 0_usize..2, 0_usize..15, 0_i64..8), 20..28)) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(filtered(numbers));
    }
}

/// A ticket that ends a page goes on, and the next page begins where it stood.
#[tokio::test]
async fn a_page_goes_on_where_the_last_one_ended_whatever_became_of_its_ticket() {
    let (world, app) = World::new().await;
    let handler = world.actor(&app, "handler-c1");
    let mut sent = Vec::new();
    for _ in 0..4 {
        sent.push(world.case(&app, "C1").await.no);
    }
    let first = handler.get("/v1/tickets?limit=2").await.is(200).json();
    let here = first["tickets"].as_array().unwrap();
    assert_eq!(numbers(here), called(handler, &[&sent[0], &sent[1]]).await);
    let report = json!({"reason": "已办", "reply": "已处理"});
    handler.step(&sent[1], "feedback", report).await.is(200);
    let after = first["next"].as_str().unwrap();
    let rest = all(handler, &format!("&after={after}"), 50).await;
    // It has left the department. All that were due on its day come, rather than that one is missing.
    assert_eq!(numbers(&rest), called(handler, &[&sent[0], &sent[2], &sent[3]]).await);
    for bad in ["12345678901234", "x.1", "12345678901234.x"] {
        let answer = handler.get(format!("/v1/tickets?after={bad}")).await;
        assert!(matches!(answer.status, 400 | 404 | 422), "{}", answer.text);
    }
    handler.get("/v1/tickets?due_before=soon").await.fails(400, "bad-query");
    handler.get("/v1/tickets?state=lost").await.fails(400, "bad-query");
}

/// However few of many tickets a filter takes, a page looks at so many and no more; the pages together have them all.
#[tokio::test]
async fn a_page_looks_at_so_many_tickets_and_no_more() {
    let (world, app) = World::unlimited().await;
    let [agent, dispatcher] = world.actors(&app, ["agent", "dispatcher"]);
    let mut call = intake(json!({}));
    let first = agent.post("/v1/intake", &call).await.is(201).case().no;
    for _ in 0..21 {
        let together = (0..50).map(|_| agent.post("/v1/intake", &call));
        let taken = join_all(together).await;
        assert!(taken.iter().all(|answer| answer.status == 201));
    }
    call["ticket"]["category"] = json!("water");
    let rare = agent.post("/v1/intake", &call).await.is(201).case().no;
    let page = dispatcher.get("/v1/tickets?category=water").await.is(200).json();
    assert_eq!(page["tickets"], json!([]));
    assert!(page["next"].is_string());
    assert_eq!(numbers(&all(dispatcher, "&category=water", 50).await), [&rare]);
    let oldest = all(dispatcher, "&order=newest", 200).await;
    assert_eq!((oldest.len(), &oldest[1_051]["ticket"]), (1_052, &json!(first)));
    let counts = dispatcher.get("/v1/tickets/counts").await.is(200).json();
    assert_eq!(
        counts["states"][0],
        json!({"state": "accepted", "held": 1_000, "taken": 1_000})
    );
    assert_eq!(counts["most"], 1_000);
}

/// Lines of a list, and whether they say that the caller has other open tickets.
async fn repeats(actor: Actor<'_>) -> BTreeMap<String, bool> {
    let listed = all(actor, "", 50).await;
    let line = |ticket: &Value| (ticket["ticket"].as_str().unwrap().to_owned(), ticket["repeat"] == true);
    listed.iter().map(line).collect()
}

#[tokio::test]
async fn the_centre_sees_that_a_caller_has_other_open_tickets() {
    let (world, app) = World::new().await;
    let [agent, dispatcher, handler, auditor] = world.actors(&app, ["agent", "dispatcher", "handler-c1", "auditor"]);
    let first = agent.take(caller(NAME, NUMBER)).await;
    let alone = agent.take(caller("李四光", "13700002222")).await;
    let secret = agent
        .post("/v1/intake", &report(caller(NAME, NUMBER)))
        .await
        .is(201)
        .case();
    let none = BTreeMap::from([&first.no, &alone.no, &secret.no].map(|no| (no.clone(), false)));
    assert_eq!(repeats(dispatcher).await, none);
    let second = agent.take(caller(NAME, NUMBER)).await;
    for no in [&first.no, &second.no] {
        dispatcher.dispatch(no, "C1").await.is(200);
    }
    let mut both = none.clone();
    both.extend([&first.no, &second.no].map(|no| (no.clone(), true)));
    assert_eq!(repeats(dispatcher).await, both);
    // A department learns nothing of that, though both lie with it.
    assert!(repeats(handler).await.values().all(|repeat| !repeat));
    world.ended(&app, &second.no).await;
    assert_eq!(repeats(dispatcher).await, none);
    // A record that was merged is the same caller's.
    let other = agent.take(json!({"caller_number": NUMBER})).await;
    agent.with(auditor, &merge(&first, &other)).await.is(200);
    let mut both = none;
    both.extend([&first.no, &other.no].map(|no| (no.clone(), true)));
    assert_eq!(repeats(dispatcher).await, both);
}

/// 督办: a flag with a reason, wherever the ticket is, and no state.
#[tokio::test]
async fn a_supervisor_watches_over_a_ticket() {
    let (world, app) = busy().await;
    let [supervisor, dispatcher, handler] = world.actors(&app, ["supervisor", "dispatcher", "handler-c1"]);
    let case = taken(&world, &app, "noise", "normal").await;
    dispatcher.dispatch(&case.no, "C1").await.is(200);
    let why = json!({"reason": "领导批示"});
    for who in ["agent", "dispatcher", "handler-c1"] {
        let other = world.actor(&app, who);
        other
            .step(&case.no, "supervise", why.clone())
            .await
            .fails(403, "refused");
    }
    supervisor
        .step(&case.no, "unsupervise", why.clone())
        .await
        .fails(409, "not-supervised");
    supervisor
        .step(&case.no, "supervise", json!({}))
        .await
        .fails(422, "no-text");
    let watched = supervisor.step(&case.no, "supervise", why.clone()).await.is(200);
    let at = (watched.at("/state"), watched.at("/holder"));
    assert_eq!(at, ("dispatched".into(), "C1".into()));
    assert!(!watched.at("/due").is_empty());
    supervisor
        .step(&case.no, "supervise", why.clone())
        .await
        .fails(409, "supervised-already");
    assert_eq!(handler.get(case.ticket()).await.is(200).json()["supervised"], true);
    let watched = called(handler, &[&case.no]).await;
    assert_eq!(numbers(&all(handler, "&supervised=true", 5).await), watched);
    handler.step(&case.no, "sign", json!({})).await.is(200);
    assert_eq!(page(&world, &app, &case.no).await["supervised"], true);
    let read = dispatcher.reveal_of_ticket(&case.no).purpose("dispatch");
    let read = read.fields(&["supervise_reason"]).clear().await.is(200);
    assert_eq!(read.at("/fields/supervise_reason"), "领导批示");
    supervisor.step(&case.no, "unsupervise", why).await.is(200);
    assert_eq!(page(&world, &app, &case.no).await["supervised"], false);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// Who must act next, by the state.
#[tokio::test]
async fn the_list_says_who_acts_next() {
    let (world, app) = World::new().await;
    let [dispatcher, handler] = world.actors(&app, ["dispatcher", "handler-c1"]);
    let case = world.sent(&app, "C1").await;
    let next = async || all(dispatcher, "", 5).await[0]["next"].as_str().unwrap().to_owned();
    assert_eq!(next().await, "handler");
    handler
        .step(&case.no, "return", json!({"reason": "非本单位"}))
        .await
        .is(200);
    assert_eq!(next().await, "dispatcher");
    dispatcher
        .step(&case.no, "deny-return", json!({"reason": "按清单"}))
        .await
        .is(200);
    assert_eq!(next().await, "handler");
    let report = json!({"reason": "已办", "reply": "已处理"});
    handler.step(&case.no, "feedback", report).await.is(200);
    dispatcher.step(&case.no, "review", json!({})).await.is(200);
    assert_eq!(next().await, "dispatcher");
    dispatcher.step(&case.no, "pass", json!({})).await.is(200);
    assert_eq!(next().await, "callback");
    world.ended(&app, &case.no).await;
    let over = all(dispatcher, "&state=withdrawn", 5).await;
    assert_eq!(over[0].get("next"), None);
}
