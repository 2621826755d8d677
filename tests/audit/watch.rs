//! Watching the readers: budgets, alarms, and who stands out in a month of generated work.

use std::collections::BTreeSet;
use std::sync::Arc;

use callervault::audit::watch::hours::{FromUtc, Hours, Span};
use callervault::audit::watch::{Report, Watch};
use callervault::clock::{Clock, Fixed};
use callervault::http::App;
use callervault::log::leaf::Leaf;
use callervault::vault::Vault;
use callervault::vault::Watching;
use callervault::vault::life::open::Running;
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::support::process::Server;
use crate::support::{World, caller, passphrase};

const OFFICERS: usize = 200;
const MONTH: Date = date(2026, 11, 1);

/// A small generator of numbers, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() * end as f64) as usize
    }

    /// How many of something that happens so often on average.
    fn count(&mut self, mean: f64) -> usize {
        let mut left = (-mean).exp();
        let draw = self.next();
        let (mut sum, mut count) = (left, 0);
        while sum < draw && count < 1000 {
            count += 1;
            left *= mean / count as f64;
            sum += left;
        }
        count
    }

    /// Around 1, some people doing half and some twice as much.
    fn diligence(&mut self) -> f64 {
        let normal: f64 = (0..12).map(|_| self.next()).sum::<f64>() - 6.0;
        (0.3 * normal).exp()
    }
}

struct Office {
    numbers: Numbers,
    leaves: Vec<(Timestamp, Leaf)>,
    tickets: u64,
}

impl Office {
    fn leaf(&mut self, at: Timestamp, officer: usize, act: &str, out: &str, ticket: u64, form: Option<&str>) {
        let leaf = json!({
            "v": 1, "id": "0", "t": format!("{at:.3}"), "act": act, "out": out, "actor": format!("{officer:032x}"),
            "dept": format!("C{}", officer % 10), "role": "handler", "ticket": ticket.to_string(),
            "subject": format!("subject {}", ticket * 7 % 9973), "fields": ["callback_number"],
            "purpose": "handle", "policy": "", "req": "", "node": "1",
        });
        let mut leaf: Leaf = serde_json::from_value(leaf).unwrap();
        leaf.form = form.map(str::to_owned);
        self.leaves.push((at, leaf));
    }

    fn at(day: Date, hour: f64) -> Timestamp {
        let midnight = Hours::default().midnight(day).unwrap();
        Timestamp::from_millisecond(midnight + (hour * 3_600_000.0) as i64).unwrap()
    }

    /// A read, and what nearly always comes of it.
    fn work(&mut self, day: Date, officer: usize) {
        self.tickets += 1;
        let ticket = self.tickets;
        let late = self.numbers.next() < 0.02;
        let hour = if late { 20.5 } else { 8.5 + 9.0 * self.numbers.next() };
        let at = Self::at(day, hour);
        self.leaf(at, officer, "field.reveal", "granted", ticket, Some("clear"));
        if self.numbers.next() < 0.3 {
            self.leaf(at, officer, "field.reveal", "granted", ticket, Some("masked"));
        }
        if self.numbers.next() < 0.93 {
            let later = at + SignedDuration::from_hours(1 + self.numbers.below(72) as i64);
            self.leaf(later, officer, "ticket.close", "granted", ticket, None);
        }
    }

    /// A read out of curiosity: in the evening as a rule, and nothing comes of it.
    fn pry(&mut self, day: Date, officer: usize) {
        self.tickets += 1;
        let ticket = self.tickets;
        let hour = if self.numbers.next() < 0.6 { 21.0 } else { 11.0 };
        self.leaf(
            Self::at(day, hour),
            officer,
            "field.reveal",
            "granted",
            ticket,
            Some("clear"),
        );
    }

    fn month(seed: u64, abuser: Option<usize>) -> Vec<Leaf> {
        let mut office = Self {
            numbers: Numbers(seed),
            leaves: Vec::new(),
            tickets: 0,
        };
        let diligence: Vec<f64> = (0..OFFICERS).map(|_| office.numbers.diligence()).collect();
        for day in MONTH.series(1.day()).take(30) {
            let weekend = day.weekday().to_monday_zero_offset() >= 5;
            for (officer, diligence) in diligence.iter().enumerate() {
                if !weekend {
                    for _ in 0..office.numbers.count(4.0 * diligence) {
                        office.work(day, officer);
                    }
                    if office.numbers.next() < 0.05 {
                        let at = Self::at(day, 12.0);
                        office.leaf(at, officer, "field.reveal", "denied", 0, Some("clear"));
                    }
                }
                if abuser == Some(officer) {
                    for _ in 0..office.numbers.count(3.0) {
                        office.pry(day, officer);
                    }
                }
            }
        }
        office.leaves.sort_by_key(|(at, _)| *at);
        office.leaves.into_iter().map(|(_, leaf)| leaf).collect()
    }
}

fn report(leaves: &[Leaf], days: std::ops::Range<Date>, centres: &[&str]) -> Report {
    let centres: BTreeSet<String> = centres.iter().map(|code| (*code).to_owned()).collect();
    let mut watch = Watch::new(Hours::default(), centres, days);
    for leaf in leaves.iter().rev() {
        watch.see(leaf);
    }
    watch.report()
}

fn month(leaves: &[Leaf]) -> Report {
    report(leaves, MONTH..date(2026, 12, 1), &[])
}

#[test]
fn a_planted_abuser_ranks_first_and_is_the_only_one_flagged() {
    for seed in 1..=8 {
        let abuser = 17 * seed as usize % OFFICERS;
        let report = month(&Office::month(seed, Some(abuser)));
        let id = format!("{abuser:032x}");
        assert_eq!(report.readers[0].actor, id, "seed {seed}");
        assert_eq!(report.flagged, [id], "seed {seed}: {:?}", &report.readers[..3]);
        assert!(report.readers[0].score > 2.0 * report.readers[1].score, "seed {seed}");
    }
}

#[test]
fn a_clean_month_flags_nobody() {
    for seed in 1..=8 {
        let report = month(&Office::month(100 + seed, None));
        assert_eq!(report.readers.len(), OFFICERS);
        assert_eq!(report.flagged, [""; 0], "seed {seed}: {:?}", report.readers[0]);
        assert_eq!(report.alarms, []);
    }
}

#[test]
fn what_is_counted() {
    let mut office = Office {
        numbers: Numbers(1),
        leaves: Vec::new(),
        tickets: 0,
    };
    let saturday = date(2026, 11, 7);
    let monday = date(2026, 11, 9);
    let at = Office::at;
    // Officer 1 works in C1, officer 2 in C2, which is the centre.
    for officer in [1, 2] {
        office.leaf(at(saturday, 12.0), officer, "field.reveal", "granted", 1, Some("clear"));
        office.leaf(at(monday, 7.99), officer, "field.reveal", "granted", 1, Some("masked"));
        office.leaf(at(monday, 8.0), officer, "field.reveal", "granted", 2, Some("clear"));
        office.leaf(at(monday, 19.99), officer, "field.reveal", "granted", 3, Some("clear"));
        office.leaf(at(monday, 20.0), officer, "field.reveal", "denied", 4, Some("clear"));
        office.leaf(at(monday, 12.0), officer, "ticket.read", "granted", 5, None);
    }
    // After the days reported: an act by anybody counts as what followed, a refused one does not.
    office.leaf(at(date(2026, 11, 12), 9.0), 3, "ticket.close", "granted", 1, None);
    office.leaf(at(date(2026, 11, 12), 9.0), 3, "ticket.dispatch", "denied", 2, None);
    office.leaf(
        at(date(2026, 11, 12), 9.0),
        3,
        "field.reveal",
        "granted",
        6,
        Some("clear"),
    );
    office.leaves.sort_by_key(|(at, _)| *at);
    let leaves: Vec<Leaf> = office.leaves.into_iter().map(|(_, leaf)| leaf).collect();
    let report = report(&leaves, saturday..date(2026, 11, 10), &["C2"]);
    assert_eq!(report.readers.len(), 2);
    for (officer, out_of_hours) in [(1, 2), (2, 1)] {
        let id = format!("{officer:032x}");
        let counts = &report.readers.iter().find(|reader| reader.actor == id).unwrap().counts;
        assert_eq!(
            (counts.reads, counts.clear, counts.busiest_day, counts.subjects),
            (4, 3, 2, 3)
        );
        assert_eq!((counts.refusals, counts.without_action), (1, 2));
        assert_eq!(counts.out_of_hours, out_of_hours);
    }
    assert_eq!((report.most_read[0].reads, report.most_read[0].readers), (4, 2));
}

#[test]
fn hours_as_they_are_written() {
    let span: Span = "07:30-19:00".parse().unwrap();
    assert_eq!(
        (span.opens.hour(), span.opens.minute(), span.closes.hour()),
        (7, 30, 19)
    );
    for wrong in ["", "8-20", "20:00-08:00", "08:00-25:00", "08:00"] {
        wrong.parse::<Span>().unwrap_err();
    }
    assert_eq!("-03:30".parse::<FromUtc>().unwrap().0.seconds(), -12_600);
    for wrong in ["", "8", "08:00", "+8", "+99:00"] {
        wrong.parse::<FromUtc>().unwrap_err();
    }
}

async fn limited(world: &World, clock: &Arc<Fixed>, limit: u64) -> Arc<App> {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    let running = Running {
        watching: Watching {
            limit: Some(limit),
            ..Watching::default()
        },
        ..Running::patient()
    };
    let vault = Vault::open_with(&world.places, &passphrase(), clock, "test", running).await;
    App::new(vault.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_holds_for_many_at_once_and_over_a_restart() {
    let (world, app) = World::new().await;
    drop(app);
    // Just before midnight in +08:00.
    let clock = Arc::new(Fixed::at("2026-12-01T15:59:00Z".parse().unwrap()));
    let app = limited(&world, &clock, 10).await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    let world = Arc::new(world);
    let mut asks = Vec::new();
    for _ in 0..32 {
        let (world, app, no, reference) = (Arc::clone(&world), Arc::clone(&app), no.clone(), reference.clone());
        asks.push(tokio::spawn(async move {
            world.reveal(&app, "handler-c1", &reference, &no, "clear").await
        }));
    }
    let mut statuses = Vec::new();
    for ask in asks {
        let answer = ask.await.unwrap();
        if answer.status != 200 {
            assert_eq!(answer.problem(), "budget-spent");
            let index = answer.json()["audit"]["index"].as_u64().unwrap();
            let entry = world
                .get(&app, "auditor", &format!("/v1/audit/events/{index}"))
                .await
                .json();
            assert_eq!(
                (&entry["leaf"]["out"], &entry["leaf"]["why"]),
                (&json!("denied"), &json!("budget-spent"))
            );
        }
        statuses.push(answer.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 10);
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 22);
    // The masked form is not limited, and nobody else is.
    assert_eq!(
        world.reveal(&app, "handler-c1", &reference, &no, "masked").await.status,
        200
    );
    drop(app);

    let app = limited(&world, &clock, 10).await;
    assert_eq!(
        world.reveal(&app, "handler-c1", &reference, &no, "clear").await.status,
        429
    );
    drop(app);
    let app = limited(&world, &clock, 11).await;
    assert_eq!(
        world.reveal(&app, "handler-c1", &reference, &no, "clear").await.status,
        200
    );
    assert_eq!(
        world.reveal(&app, "handler-c1", &reference, &no, "clear").await.status,
        429
    );
    // A new day. And back before midnight: the old day is as full as it was.
    clock.set("2026-12-01T16:00:00Z".parse().unwrap());
    assert_eq!(
        world.reveal(&app, "handler-c1", &reference, &no, "clear").await.status,
        200
    );
    clock.set("2026-12-01T15:59:30Z".parse().unwrap());
    assert_eq!(
        world.reveal(&app, "handler-c1", &reference, &no, "clear").await.status,
        429
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_a_server_is_the_one_it_was_started_with() {
    let (world, app) = World::new().await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    drop(app);
    let started = ["--listen", "127.0.0.1:0", "--reveal-limit", "1"];
    let server = Server::start_with(world.dir.path(), "http", &started);
    let body = json!({"ticket": no, "purpose": "handle", "fields": ["callback_number"], "form": "clear"});
    let path = format!("/v1/callers/{reference}/reveal");
    let statuses = [(); 2].map(|()| server.post(&world, "handler-c1", &path, &body).0);
    assert_eq!(statuses, [200, 429]);
}

#[tokio::test]
async fn the_limit_holds_anew_on_a_day_that_the_clock_comes_back_to() {
    let (world, app) = World::new().await;
    drop(app);
    let day = |day: u32| format!("2026-12-{day:02}T04:00:00Z").parse().unwrap();
    let clock = Arc::new(Fixed::at(day(1)));
    let app = limited(&world, &clock, 2).await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    let reveal = async || world.reveal(&app, "handler-c1", &reference, &no, "clear").await.status;
    assert_eq!([reveal().await, reveal().await, reveal().await], [200, 200, 429]);
    // A month to and fro begins no day anew.
    for ahead in [2, 9, 5, 31] {
        clock.set(day(ahead));
        assert_eq!(reveal().await, 200);
    }
    clock.set(day(1));
    assert_eq!(reveal().await, 429);
    // Farther ahead than is remembered, and back: what was spent is forgotten, and the limit holds anew.
    clock.set("2027-01-02T04:00:00Z".parse().unwrap());
    assert_eq!(reveal().await, 200);
    clock.set(day(1));
    assert_eq!(
        [reveal().await, reveal().await, reveal().await, reveal().await],
        [200, 200, 429, 429]
    );
}

#[tokio::test]
async fn alarms_are_counted_and_the_report_names_them() {
    let (world, app) = World::new().await;
    drop(app);
    let clock = Arc::new(Fixed::at("2026-12-01T02:00:00Z".parse().unwrap()));
    let app = world.open_at(Arc::clone(&clock) as Arc<_>).await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    let alarms = async |level: u64| {
        let text = world.metrics(&app).await;
        let name = format!("callervault_reveal_alarms_total{{level=\"{level}\"}} ");
        let line = text.lines().find(|line| line.starts_with(&name)).unwrap().to_owned();
        line.trim_start_matches(&name).to_owned()
    };
    for _ in 0..24 {
        world.reveal(&app, "handler-c1", &reference, &no, "clear").await;
    }
    assert_eq!(alarms(25).await, "0");
    for _ in 0..3 {
        world.reveal(&app, "handler-c1", &reference, &no, "clear").await;
    }
    assert_eq!((alarms(25).await, alarms(250).await), ("1".to_owned(), "0".to_owned()));
    world.reveal(&app, "handler-w2", &reference, &no, "clear").await;

    let answer = world.get(&app, "auditor", "/v1/audit/report?day=2026-12-01").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let report = answer.json();
    let actor = world.id("handler-c1");
    assert_eq!(
        report["alarms"],
        json!([{"day": "2026-12-01", "actor": actor, "level": 25, "clear": 27}])
    );
    assert_eq!(report["settled"], false);
    let reader = |id: &str| -> Value {
        let readers = report["readers"].as_array().unwrap();
        readers.iter().find(|reader| reader["actor"] == id).unwrap().clone()
    };
    assert_eq!(reader(actor)["clear"], 27);
    assert_eq!(reader(actor)["without_action"], 27);
    assert_eq!(reader(world.id("handler-w2"))["refusals"], 1);
    assert_eq!(report["most_read"][0]["reads"], 27);

    // The day after nothing; and later, when the ticket was closed, nothing without an act.
    let answer = world
        .get(&app, "auditor", "/v1/audit/report?day=2026-12-02")
        .await
        .json();
    assert_eq!(answer["readers"], json!([]));
    let closed = json!({"reason": "已办结"});
    let answer = world
        .post(&app, "handler-c1", &format!("/v1/tickets/{no}/close"), &closed)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    clock.set("2026-12-10T02:00:00Z".parse().unwrap());
    let report = world
        .get(&app, "auditor", "/v1/audit/report?day=2026-11-25&days=7")
        .await
        .json();
    let readers = report["readers"].as_array().unwrap();
    assert!(readers.iter().all(|reader| reader["without_action"] == 0));
    assert_eq!(report["settled"], true);
    for query in [
        "",
        "day=2026-13-01",
        "day=2026-12-01&days=0",
        "day=2026-12-01&days=32",
        "day=2026-12-01&day=2026-12-02",
    ] {
        let answer = world.get(&app, "auditor", &format!("/v1/audit/report?{query}")).await;
        assert!([400, 422].contains(&answer.status), "{query}: {}", answer.text);
    }
}

/// After a restart it is not known how many of the reveals that were taken ahead were made: the alarm comes rather than not.
#[tokio::test]
async fn an_alarm_is_not_lost_with_what_was_taken_ahead() {
    let (world, app) = World::new().await;
    drop(app);
    let clock = Arc::new(Fixed::at("2026-12-01T02:00:00Z".parse().unwrap()));
    let app = world.open_at(Arc::clone(&clock) as Arc<_>).await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    for _ in 0..20 {
        assert_eq!(
            world.reveal(&app, "handler-c1", &reference, &no, "clear").await.status,
            200
        );
    }
    drop(app);
    let app = world.open_at(Arc::clone(&clock) as Arc<_>).await;
    let alarms = || app.vault().reveal_alarms().map(|(_, count)| count).sum::<u64>();
    let mut reveals = 20;
    while alarms() == 0 {
        assert_eq!(
            world.reveal(&app, "handler-c1", &reference, &no, "clear").await.status,
            200
        );
        reveals += 1;
        assert!(reveals <= 25, "no alarm at the 25th");
    }
}
