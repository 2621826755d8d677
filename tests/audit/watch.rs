//! Watching the readers: who stands out in a month of generated work.

use std::collections::BTreeSet;

use callervault::audit::watch::hours::{FromUtc, Hours, Span};
use callervault::audit::watch::{Report, Watch};
use callervault::log::leaf::Leaf;
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::json;

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
