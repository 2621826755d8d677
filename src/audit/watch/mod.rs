//! Watching the readers: what each did in some days, who stands out among their peers, and whose data is read most. Pure:
//! leaves in, report out.

pub mod hours;
mod score;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use self::hours::Hours;
use self::score::{MEASURES, PEERS, Usual};
use crate::log::leaf::Leaf;
use crate::log::places::OTHER_SUBJECT;
use crate::model::ask::Action;
use crate::model::transitions::Transition;

/// Clear reveals of one reader in one day that raise an alarm.
pub const LEVELS: [u64; 3] = [25, 250, 2500];
/// Most subjects named as most read.
const MOST_READ: usize = 10;

/// What one reader did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Counts {
    /// Reads that showed fields, in any form.
    pub reads: u64,
    /// Reads that showed fields in clear.
    pub clear: u64,
    /// Clear reads on the day with the most.
    pub busiest_day: u64,
    /// Callers whose fields were shown, in any form.
    pub subjects: u64,
    /// Requests that were refused.
    pub refusals: u64,
    /// Reads that showed fields outside working hours.
    pub out_of_hours: u64,
    /// Reads in clear for a ticket of which nobody said afterwards what came of it: no step with words.
    pub without_action: u64,
}

/// One reader in the report.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Reader {
    /// The reader: the principal's id.
    pub actor: String,
    /// The reader's current account name, for auditors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_name: Option<String>,
    /// The reader's department.
    pub dept: String,
    /// The department's current name, for auditors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department_name: Option<String>,
    /// Whether a name is left out because its row in the data store is not as the vault wrote it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub names_unproved: bool,
    /// The role that permitted most of the reads; absent if all requests were refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What the reader did.
    #[serde(flatten)]
    pub counts: Counts,
    /// How far the reader is above the usual counts of the role: the sum over the counts, in spreads.
    pub score: f64,
    /// The counts by which the reader stands out; empty for most readers.
    pub reasons: Vec<&'static str>,
}

/// A day on which one reader reached a number of clear reveals that must be checked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
pub struct Alarm {
    /// The local day.
    pub day: String,
    /// The reader: the principal's id.
    pub actor: String,
    /// The reader's current account name, for auditors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_name: Option<String>,
    /// Whether a name is left out because its row in the data store is not as the vault wrote it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub names_unproved: bool,
    /// The highest level reached: 25, 250 or 2500.
    pub level: u64,
    /// Number of clear reveals on that day.
    pub clear: u64,
}

/// A caller whose data is read often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct MostRead {
    /// The log's reference to the caller.
    pub subject: String,
    /// Reads that showed fields.
    pub reads: u64,
    /// Number of readers.
    pub readers: u64,
}

/// The readers in some days.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Report {
    /// All readers who were shown fields or refused; those who stand out most come first.
    pub readers: Vec<Reader>,
    /// Ids of the readers who stand out.
    pub flagged: Vec<String>,
    /// Days with many clear reveals, in order.
    pub alarms: Vec<Alarm>,
    /// Callers whose data is read most, by number of readers and reads.
    pub most_read: Vec<MostRead>,
}

#[derive(Default)]
struct Seen {
    dept: String,
    roles: BTreeMap<String, u64>,
    days: BTreeMap<Date, u64>,
    subjects: HashSet<String>,
    reads: u64,
    refusals: u64,
    out_of_hours: u64,
    without_action: u64,
}

#[derive(Default)]
struct Read {
    reads: u64,
    readers: HashSet<String>,
}

/// Takes the leaves of the days reported and of some days after, newest first.
pub struct Watch {
    hours: Hours,
    /// Codes of the departments that work at weekends.
    centres: BTreeSet<String>,
    days: std::ops::Range<Date>,
    seen: BTreeMap<String, Seen>,
    subjects: HashMap<String, Read>,
    /// Tickets of which somebody said later what came of them.
    acted: HashSet<String>,
    /// Subjects whose record was merged later, and the other's.
    merged: HashMap<String, String>,
    /// Subjects whose merge was undone later than the entries that are looked at.
    undone: HashSet<String>,
}

impl Watch {
    /// Watches from the first of these days to before the last.
    #[must_use]
    pub fn new(hours: Hours, centres: BTreeSet<String>, days: std::ops::Range<Date>) -> Self {
        Self {
            hours,
            centres,
            days,
            seen: BTreeMap::new(),
            subjects: HashMap::new(),
            acted: HashSet::new(),
            merged: HashMap::new(),
            undone: HashSet::new(),
        }
    }

    /// Takes a leaf. One outside the days counts only as what followed.
    pub fn see(&mut self, leaf: &Leaf) {
        let Ok(at) = leaf.t.parse::<Timestamp>() else { return };
        let granted = leaf.out == "granted";
        if let Some(ticket) = leaf.ticket.as_ref().filter(|_| granted && tells_of_work(leaf)) {
            self.acted.insert(ticket.clone());
        }
        if granted {
            self.join(leaf);
        }
        let day = self.hours.day(at);
        let read = leaf.act == Action::Reveal.as_str();
        if !self.days.contains(&day) || (granted && !read) {
            return;
        }
        let seen = self.seen.entry(leaf.actor.clone()).or_default();
        if seen.dept.is_empty() {
            seen.dept.clone_from(&leaf.dept);
        }
        if !granted {
            seen.refusals += 1;
            return;
        }
        if let Some(role) = &leaf.role {
            *seen.roles.entry(role.clone()).or_default() += 1;
        }
        seen.reads += 1;
        let centre = self.centres.contains(&leaf.dept);
        seen.out_of_hours += u64::from(self.hours.outside(at, centre));
        if let Some(subject) = leaf.subject.as_ref().map(|subject| in_force(&self.merged, subject)) {
            seen.subjects.insert(subject.clone());
            let read = self.subjects.entry(subject.clone()).or_default();
            read.reads += 1;
            read.readers.insert(leaf.actor.clone());
        }
        if leaf.form.as_deref() == Some("clear") {
            *seen.days.entry(day).or_default() += 1;
            let acted = leaf.ticket.as_ref().is_some_and(|ticket| self.acted.contains(ticket));
            seen.without_action += u64::from(!acted);
        }
    }

    /// Entries come newest first: what is seen of a record after its merge was made before that, and is counted with the other's.
    fn join(&mut self, leaf: &Leaf) {
        let other = leaf.link.as_ref().and_then(|link| link.get(OTHER_SUBJECT));
        let (Some(part), Some(whole), "granted") = (other, &leaf.subject, leaf.out.as_str()) else {
            return;
        };
        if leaf.act == Action::Unmerge.as_str() {
            self.undone.insert(part.clone());
        } else if leaf.act == Action::Merge.as_str()
            && !self.undone.remove(part)
            && in_force(&self.merged, whole) != part
        {
            self.merged.insert(part.clone(), whole.clone());
        }
    }

    /// What came of it, without names.
    #[must_use]
    pub fn report(self) -> Report {
        let mut alarms: Vec<Alarm> = self.seen.iter().flat_map(|(actor, seen)| alarms(actor, seen)).collect();
        alarms.sort();
        let mut readers: Vec<Reader> = self.seen.into_iter().map(|(actor, seen)| reader(actor, seen)).collect();
        judge(&mut readers);
        readers.sort_by(|one, other| {
            other
                .score
                .total_cmp(&one.score)
                .then_with(|| one.actor.cmp(&other.actor))
        });
        let flagged = readers.iter().filter(|reader| !reader.reasons.is_empty());
        Report {
            flagged: flagged.map(|reader| reader.actor.clone()).collect(),
            readers,
            alarms,
            most_read: most_read(self.subjects),
        }
    }
}

/// Whether the entry is a step of a ticket that says what came of the work: one with words. Signing for a ticket says nothing.
fn tells_of_work(leaf: &Leaf) -> bool {
    let mut steps = Transition::ALL.iter().map(|transition| transition.step());
    steps.any(|step| step.action.as_str() == leaf.act && (step.reason.is_some() || step.reply.is_some()))
}

/// The subject of the record in force.
fn in_force<'s>(merged: &'s HashMap<String, String>, subject: &'s String) -> &'s String {
    let mut subject = subject;
    // None leads back to itself: this ends.
    while let Some(whole) = merged.get(subject) {
        subject = whole;
    }
    subject
}

fn alarms(actor: &str, seen: &Seen) -> Vec<Alarm> {
    let alarm = |(day, &clear): (&Date, &u64)| {
        let level = LEVELS.into_iter().rfind(|level| clear >= *level)?;
        Some(Alarm {
            day: day.to_string(),
            actor: actor.to_owned(),
            actor_name: None,
            names_unproved: false,
            level,
            clear,
        })
    };
    seen.days.iter().filter_map(alarm).collect()
}

fn reader(actor: String, seen: Seen) -> Reader {
    let role = seen.roles.into_iter().max_by_key(|(_, count)| *count);
    Reader {
        actor,
        actor_name: None,
        dept: seen.dept,
        department_name: None,
        names_unproved: false,
        role: role.map(|(role, _)| role),
        counts: Counts {
            reads: seen.reads,
            clear: seen.days.values().sum(),
            busiest_day: seen.days.values().copied().max().unwrap_or_default(),
            subjects: u64::try_from(seen.subjects.len()).unwrap_or(u64::MAX),
            refusals: seen.refusals,
            out_of_hours: seen.out_of_hours,
            without_action: seen.without_action,
        },
        score: 0.0,
        reasons: Vec::new(),
    }
}

/// Compares each reader with the readers of the same role, or with all readers if the role has few.
fn judge(readers: &mut [Reader]) {
    let mut sizes: BTreeMap<Option<String>, usize> = BTreeMap::new();
    for reader in &*readers {
        *sizes.entry(reader.role.clone()).or_default() += 1;
    }
    let group = |role: &Option<String>| Some(role.clone()).filter(|role| sizes.get(role).is_some_and(|n| *n >= PEERS));
    let of_group = |reader: &Reader| group(&reader.role);
    let groups: BTreeSet<_> = readers.iter().map(of_group).collect();
    let usual = |group: &Option<Option<String>>| {
        let peers = readers
            .iter()
            .filter(|reader| group.is_none() || of_group(reader) == *group);
        let peers: Vec<&Counts> = peers.map(|reader| &reader.counts).collect();
        MEASURES.each_ref().map(|measure| Usual::of(measure, &peers))
    };
    let usual: BTreeMap<_, _> = groups.iter().map(|group| (group.clone(), usual(group))).collect();
    for reader in readers {
        let Some(usual) = usual.get(&group(&reader.role)) else {
            continue;
        };
        for (measure, usual) in MEASURES.iter().zip(usual) {
            let standing = usual.standing(&reader.counts);
            reader.score += standing.above;
            if standing.out {
                reader.reasons.push(measure.name);
            }
        }
    }
}

fn most_read(subjects: HashMap<String, Read>) -> Vec<MostRead> {
    let row = |(subject, read): (String, Read)| MostRead {
        subject,
        reads: read.reads,
        readers: u64::try_from(read.readers.len()).unwrap_or(u64::MAX),
    };
    let mut rows: Vec<MostRead> = subjects.into_iter().map(row).collect();
    rows.sort_by(|one, other| {
        let key = |row: &MostRead| (row.readers, row.reads);
        key(other).cmp(&key(one)).then_with(|| one.subject.cmp(&other.subject))
    });
    rows.truncate(MOST_READ);
    rows
}
