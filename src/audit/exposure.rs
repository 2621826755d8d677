//! Who has been shown which fields: reads of the log put together by reader, ticket, person and fields.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use super::indexer::shows_fields;
use crate::log::leaf::Leaf;

/// Newest positions that are told of each group.
const MOST_INDEXES: usize = 20;

/// What the reads of a group have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
pub struct Reading {
    /// The reader: the principal's id.
    pub actor: String,
    /// The reader's department at the time.
    pub dept: String,
    /// The role that permitted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The ticket of the reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// The log's reference to the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Names of the fields.
    pub fields: Vec<String>,
    /// `clear` or `masked`.
    pub form: String,
}

/// Reads of one reader of the same fields for the same ticket.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Exposed {
    /// What the reads have in common.
    #[serde(flatten)]
    pub reading: Reading,
    /// The reader's current account name, for auditors and data protection officers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_name: Option<String>,
    /// The department's current name, for the same readers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department_name: Option<String>,
    /// Whether a name is left out because its row in the data store is not as the vault wrote it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub names_unproved: bool,
    /// Number of reads.
    pub count: u64,
    /// Time of the first read.
    pub first: String,
    /// Time of the last read.
    pub last: String,
    /// Indexes of the newest 20 log entries, newest first.
    pub indexes: Vec<u64>,
}

struct Group {
    count: u64,
    first: String,
    last: String,
    newest: VecDeque<u64>,
}

/// Puts reads together.
#[derive(Default)]
pub struct Exposure {
    groups: BTreeMap<Reading, Group>,
    reads: u64,
    /// Tickets and callers are left out of the groups.
    readers_alone: bool,
}

impl Exposure {
    /// Puts reads together by reader, fields and form, and leaves out for which ticket and of whom.
    #[must_use]
    pub fn of_readers_alone() -> Self {
        Self {
            readers_alone: true,
            ..Self::default()
        }
    }

    /// Adds an entry, if it showed fields. Entries come newest first.
    pub fn add(&mut self, index: u64, leaf: Leaf) {
        if !shows_fields(&leaf) {
            return;
        }
        self.reads += 1;
        let reading = Reading {
            actor: leaf.actor,
            dept: leaf.dept,
            role: leaf.role,
            ticket: leaf.ticket.filter(|_| !self.readers_alone),
            subject: leaf.subject.filter(|_| !self.readers_alone),
            fields: leaf.fields.unwrap_or_default(),
            form: leaf.form.unwrap_or_default(),
        };
        let group = self.groups.entry(reading).or_insert_with(|| Group {
            count: 0,
            first: leaf.t.clone(),
            last: leaf.t.clone(),
            newest: VecDeque::new(),
        });
        group.count += 1;
        // Times of one form and in UTC sort as their text does.
        if leaf.t < group.first {
            group.first.clone_from(&leaf.t);
        }
        if leaf.t > group.last {
            group.last.clone_from(&leaf.t);
        }
        if group.newest.len() < MOST_INDEXES {
            group.newest.push_back(index);
        }
    }

    /// Number of reads.
    #[must_use]
    pub const fn reads(&self) -> u64 {
        self.reads
    }

    /// Number of groups.
    #[must_use]
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Whether it holds no reads.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// The groups, by reader, without names.
    #[must_use]
    pub fn into_groups(self) -> Vec<Exposed> {
        let exposed = |(reading, group): (Reading, Group)| Exposed {
            reading,
            actor_name: None,
            department_name: None,
            names_unproved: false,
            count: group.count,
            first: group.first,
            last: group.last,
            indexes: group.newest.into(),
        };
        self.groups.into_iter().map(exposed).collect()
    }
}
