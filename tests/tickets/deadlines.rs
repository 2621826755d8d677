//! Until when a department signs for a ticket and reports: working days, urgency, categories, cards.

use std::collections::BTreeSet;
use std::sync::Arc;

use callervault::clock::Fixed;
use callervault::http::App;
use callervault::model::deadlines::{Card, Deadlines, Holidays, MissingYear};
use callervault::vault::life::open::Running;
use jiff::civil::{Date, Weekday};
use jiff::{Span, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Case, NAME, NUMBER, World, caller, intake, weeks};

/// The notices of 2025 and 2026, told once more: days off and weekends that are worked.
const OFF: [(&str, &str); 13] = [
    ("2025-01-01", "2025-01-01"),
    ("2025-01-28", "2025-02-04"),
    ("2025-04-04", "2025-04-06"),
    ("2025-05-01", "2025-05-05"),
    ("2025-05-31", "2025-06-02"),
    ("2025-10-01", "2025-10-08"),
    ("2026-01-01", "2026-01-03"),
    ("2026-02-15", "2026-02-23"),
    ("2026-04-04", "2026-04-06"),
    ("2026-05-01", "2026-05-05"),
    ("2026-06-19", "2026-06-21"),
    ("2026-09-25", "2026-09-27"),
    ("2026-10-01", "2026-10-07"),
];
const WORKED: [&str; 11] = [
    "2025-01-26",
    "2025-02-08",
    "2025-04-27",
    "2025-09-28",
    "2025-10-11",
    "2026-01-04",
    "2026-02-14",
    "2026-02-28",
    "2026-05-09",
    "2026-09-20",
    "2026-10-10",
];

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn later(day: Date, days: i64) -> Date {
    day.checked_add(Span::new().days(days)).unwrap()
}

/// Every working day of the years of a table, in order.
fn working_days(years: std::ops::RangeInclusive<i16>, off: &BTreeSet<Date>, worked: &BTreeSet<Date>) -> Vec<Date> {
    let first = Date::new(*years.start(), 1, 1).unwrap();
    let days = (0..).map(|after| later(first, after));
    let days = days.take_while(|day| day.year() <= *years.end());
    let is_worked = |day: &Date| {
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        worked.contains(day) || !(weekend || off.contains(day))
    };
    days.filter(is_worked).collect()
}

fn as_published() -> Vec<Date> {
    let off = OFF.iter().flat_map(|(from, to)| {
        let to = day(to);
        (0..)
            .map(|after| later(day(from), after))
            .take_while(move |at| *at <= to)
    });
    let worked = WORKED.iter().map(|text| day(text));
    working_days(2025..=2026, &off.collect(), &worked.collect())
}

/// The deadline that so many working days after a day is, by the list of all working days.
fn expected(all: &[Date], from: Date, working_days: usize) -> Option<Date> {
    if working_days == 0 {
        return all.iter().copied().find(|day| *day >= from);
    }
    all.iter().copied().filter(|day| *day > from).nth(working_days - 1)
}

proptest! {
    #[test]
    fn working_days_are_those_of_the_notices(after in 0_i64..730, working_days in 0_u32..60) {
        let shipped = Holidays::load(Holidays::SHIPPED).unwrap();
        let from = later(day("2025-01-01"), after);
        let expected = expected(&as_published(), from, working_days as usize);
        prop_assert_eq!(shipped.after(from, working_days), expected.ok_or(MissingYear(2027)));
    }

    /// Whatever a city writes down as its year.
    #[test]
    fn working_days_are_those_of_the_table(
        off in prop::collection::btree_set(0_i64..365, 0..40),
        worked in prop::collection::btree_set(0_i64..365, 0..20),
        after in 0_i64..365,
        working_days in 0_u32..100,
    ) {
        let first = day("2030-01-01");
        let off: BTreeSet<Date> = off.into_iter().map(|after| later(first, after)).collect();
        let weekend = |day: &Date| matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        let worked = worked.into_iter().map(|after| later(first, after));
        let worked: BTreeSet<Date> = worked.filter(|day| weekend(day) && !off.contains(day)).collect();
        let mut table = "[2030]\nsource = \"a test\"\nholidays = [\n".to_owned();
        for day in &off {
            table.push_str(&format!("{{ zh = \"节\", en = \"Day\", from = \"{day}\", to = \"{day}\" }},\n"));
        }
        let worked_words: Vec<String> = worked.iter().map(|day| format!("\"{day}\"")).collect();
        table.push_str(&format!("]\nworked = [{}]\n", worked_words.join(", ")));
        let holidays = Holidays::load(&table).unwrap();
        let from = later(first, after);
        let all = self::working_days(2030..=2030, &off, &worked);
        let expected = expected(&all, from, working_days as usize);
        prop_assert_eq!(holidays.after(from, working_days), expected.ok_or(MissingYear(2031)));
    }

    /// Yellow from the last working day before the deadline's, red from the first after it.
    #[test]
    fn cards_are_as_the_working_days_around_the_deadline(due in 1_usize..480, days in -12_i64..12, minute in 0_i64..1440) {
        let all = as_published();
        let due = all[due.min(all.len() - 2)];
        let place = all.binary_search(&due).unwrap();
        let (before, behind) = (all[place - 1], all[place + 1]);
        let deadlines = Deadlines::load(Deadlines::SHIPPED, Holidays::load(Holidays::SHIPPED).unwrap()).unwrap();
        let today = later(due, days);
        let midnight: Timestamp = format!("{today}T00:00:00+08:00").parse().unwrap();
        let now = midnight.checked_add(Span::new().minutes(minute)).unwrap();
        let end: Timestamp = format!("{due}T23:59:59.999+08:00").parse().unwrap();
        let expected = if today >= behind {
            Some(Card::Red)
        } else if today >= before {
            Some(Card::Yellow)
        } else {
            None
        };
        prop_assert_eq!(deadlines.cards(now).unwrap().of(end), expected, "{} on {}", due, today);
    }
}

pub(super) fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A world in which it is that moment, with these files.
pub(super) async fn at(now: &str, files: &[(&str, &str)]) -> (World, Arc<App>, Arc<Fixed>) {
    let clock = Arc::new(Fixed::at(moment(now)));
    let (world, app) = World::made(clock.clone(), Running::patient()).await;
    drop(app);
    for (name, text) in files {
        std::fs::write(world.places.policies.join(name), text).unwrap();
    }
    let app = world.open_at(clock.clone()).await;
    (world, app, clock)
}

/// As published, with the deadlines that the program ships with.
const PUBLISHED: [(&str, &str); 1] = [("holidays.toml", Holidays::SHIPPED)];

/// A call of this category and urgency.
pub(super) async fn taken(world: &World, app: &Arc<App>, category: &str, urgency: &str) -> Case {
    let mut call = intake(caller(NAME, NUMBER));
    call["call"]["received_at"] = json!("2026-01-05T09:00:00+08:00");
    call["ticket"]["category"] = json!(category);
    call["ticket"]["urgency"] = json!(urgency);
    world.actor(app, "agent").post("/v1/intake", &call).await.is(201).case()
}

pub(super) async fn page(world: &World, app: &Arc<App>, no: &str) -> Value {
    let path = format!("/v1/tickets/{no}?purpose=dispatch");
    world.actor(app, "dispatcher").get(path).await.is(200).json()
}

/// What a page says of deadlines.
fn due(page: &Value) -> [&str; 3] {
    ["due", "sign_due", "card"].map(|key| page[key].as_str().unwrap_or("-"))
}

/// The page of the ticket says this of deadlines.
async fn is_due(world: &World, app: &Arc<App>, case: &Case, expected: [&str; 3]) {
    assert_eq!(due(&page(world, app, &case.no).await), expected);
}

/// From the day before a long holiday.
#[tokio::test]
async fn a_deadline_is_set_moved_and_cleared_with_the_work() {
    let (world, app, clock) = at("2026-09-30T10:00:00+08:00", &PUBLISHED).await;
    let [dispatcher, handler] = world.actors(&app, ["dispatcher", "handler-c1"]);
    let case = taken(&world, &app, "noise", "normal").await;
    is_due(&world, &app, &case, ["-", "-", "-"]).await;
    let sent = dispatcher.dispatch(&case.no, "C1").await.is(200);
    assert_eq!(
        (sent.at("/due"), sent.at("/sign_due")),
        ("2026-10-13".into(), "2026-10-08".into())
    );
    is_due(&world, &app, &case, ["2026-10-13", "2026-10-08", "-"]).await;
    handler.step(&case.no, "sign", json!({})).await.is(200);
    // A department sees the same day, and no time of day.
    let own = handler.get(case.ticket()).await.is(200).json();
    assert_eq!(due(&own), ["2026-10-13", "-", "-"]);
    for (now, card) in [
        ("2026-10-11T23:59:59+08:00", "-"),
        ("2026-10-12T00:00:00+08:00", "yellow"),
        ("2026-10-13T23:59:59+08:00", "yellow"),
        ("2026-10-14T00:00:00+08:00", "red"),
    ] {
        clock.set(moment(now));
        is_due(&world, &app, &case, ["2026-10-13", "-", card]).await;
    }
    let report = json!({"reason": "已处理", "reply": "已整改"});
    let reported = handler.step(&case.no, "feedback", report).await.is(200);
    assert!(reported.json().get("due").is_none());
    is_due(&world, &app, &case, ["-", "-", "-"]).await;
    dispatcher.step(&case.no, "review", json!({})).await.is(200);
    // More work has a deadline of its own, and no signature is waited for.
    dispatcher
        .step(&case.no, "redo", json!({"reason": "未解决"}))
        .await
        .is(200);
    is_due(&world, &app, &case, ["2026-10-21", "-", "-"]).await;
    clock.set(moment("2026-10-15T09:00:00+08:00"));
    dispatcher.dispatch(&case.no, "W2").await.is(200);
    is_due(&world, &app, &case, ["2026-10-22", "2026-10-16", "-"]).await;
    // What comes back has none until it is sent again.
    let other = world.actor(&app, "handler-w2");
    other
        .step(&case.no, "return", json!({"reason": "非本单位"}))
        .await
        .is(200);
    is_due(&world, &app, &case, ["2026-10-22", "2026-10-16", "-"]).await;
    let back = json!({"reason": "同意"});
    dispatcher.step(&case.no, "accept-return", back).await.is(200);
    is_due(&world, &app, &case, ["-", "-", "-"]).await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn urgency_and_category_decide_how_long_it_is() {
    let own = format!("{}\n[category.water]\nnormal = {{ handle = 2 }}\n", Deadlines::SHIPPED);
    let files = [PUBLISHED[0], ("deadlines.toml", own.as_str())];
    let (world, app, _) = at("2026-11-02T23:30:00+08:00", &files).await;
    let dispatcher = world.actor(&app, "dispatcher");
    for (category, urgency, days) in [
        ("noise", "normal", ["2026-11-09", "2026-11-03"]),
        ("noise", "urgent", ["2026-11-05", "2026-11-03"]),
        ("noise", "emergency", ["2026-11-03", "2026-11-02"]),
        ("water", "normal", ["2026-11-04", "2026-11-03"]),
        ("water", "urgent", ["2026-11-05", "2026-11-03"]),
    ] {
        let case = taken(&world, &app, category, urgency).await;
        let sent = dispatcher.dispatch(&case.no, "C1").await.is(200);
        let said = [sent.at("/due"), sent.at("/sign_due")];
        assert_eq!(said, days, "{category} {urgency}");
        assert_eq!(page(&world, &app, &case.no).await["urgency"], urgency);
    }
    let agent = world.actor(&app, "agent");
    let mut call = intake(caller(NAME, NUMBER));
    call["call"]["received_at"] = json!("2026-01-05T09:00:00+08:00");
    let usual = agent.post("/v1/intake", &call).await.is(201).case();
    assert_eq!(page(&world, &app, &usual.no).await["urgency"], "normal");
    call["ticket"]["urgency"] = json!("at once");
    let bad = agent.post("/v1/intake", &call).await;
    assert!(matches!(bad.status, 400 | 422), "{}", bad.text);
}

/// Nothing happens, and the answer names the year; with its table it does.
#[tokio::test]
async fn a_year_without_a_table_is_refused_by_name() {
    let (world, app, _) = at("2026-12-28T10:00:00+08:00", &PUBLISHED).await;
    let [dispatcher, handler] = world.actors(&app, ["dispatcher", "handler-c1"]);
    let case = taken(&world, &app, "noise", "normal").await;
    let before = page(&world, &app, &case.no).await;
    let refused = dispatcher.dispatch(&case.no, "C1").await.fails(409, "year-missing");
    assert!(refused.at("/detail").contains("2027"), "{}", refused.text);
    let mut after = page(&world, &app, &case.no).await;
    after["audit"] = before["audit"].clone();
    assert_eq!(after, before);
    handler.get(case.ticket()).await.is(403);
    // What is urgent is due in time. More time for it would not be, and it stays where it is.
    let urgent = taken(&world, &app, "noise", "urgent").await;
    let sent = dispatcher.dispatch(&urgent.no, "C1").await.is(200);
    assert_eq!(sent.at("/due"), "2026-12-31");
    handler.step(&urgent.no, "sign", json!({})).await.is(200);
    let ask = json!({"reason": "需检测"});
    handler.step(&urgent.no, "extend", ask).await.is(200);
    let grant = json!({"reason": "同意", "working_days": 1});
    let beyond = dispatcher.step(&urgent.no, "grant-extension", grant.clone()).await;
    beyond.fails(409, "year-missing");
    let still = page(&world, &app, &urgent.no).await;
    assert_eq!(
        (&still["state"], &still["due"]),
        (&json!("extension_asked"), &json!("2026-12-31"))
    );
    let table = format!(
        "{}\n[2027]\nsource = \"a test\"\nholidays = [{{ zh = \"元旦\", en = \"New Year\", from = \"2027-01-01\", to = \"2027-01-03\" }}]\nworked = []\n",
        Holidays::SHIPPED
    );
    std::fs::write(world.places.policies.join("holidays.toml"), table).unwrap();
    assert!(app.vault().unwrap().reread_rules(&world.places).await.unwrap());
    let sent = dispatcher.dispatch(&case.no, "C1").await.is(200);
    assert_eq!(sent.at("/due"), "2027-01-05");
    let granted = dispatcher.step(&urgent.no, "grant-extension", grant).await.is(200);
    assert_eq!(granted.at("/due"), "2027-01-04");
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// A file that cannot be used keeps a vault shut, and one that serves goes on as it was.
#[tokio::test]
async fn files_are_checked_at_the_start_and_when_they_are_read_again() {
    let world = World::closed().await;
    let none = weeks().replace("[2026]", "[a year]");
    let longer = Deadlines::SHIPPED.replace("handle = 5", "handle = 500");
    for (name, text) in [("holidays.toml", &none), ("deadlines.toml", &longer)] {
        let path = world.places.policies.join(name);
        let good = std::fs::read(&path).ok();
        let app = world.open().await;
        std::fs::write(&path, text).unwrap();
        let bad = app.vault().unwrap().reread_rules(&world.places).await.unwrap_err();
        assert!(bad.to_string().starts_with(name), "{bad}");
        let case = world.sent(&app, "C1").await;
        assert!(page(&world, &app, &case.no).await["due"].is_string());
        drop(app);
        let error = world.refusal().await;
        assert!(error.starts_with(name) && error.lines().count() >= 2, "{error}");
        match good {
            Some(good) => std::fs::write(&path, good).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
    }
}
