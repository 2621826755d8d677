//! Entries of the log as lines for other systems. Each line carries index and leaf hash, so that whoever gathers them can
//! count gaps and check any of them against the log. Projections: the log stays what it is.

mod cef;
mod ocsf;
mod syslog;

use serde_json::{Value, json};

use super::leaf::Leaf;
use crate::merkle::{Hash, leaf_hash};
use crate::model::word_enum::word_enum;

word_enum! {
    /// How a line is written.
    pub enum Format {
        /// JSON: index, leaf hash and the leaf.
        Native = "native",
        /// OCSF 1.x, class 6005 Datastore Activity, as JSON.
        Ocsf = "ocsf",
        /// RFC 5424 with the leaf as JSON in the message.
        Syslog = "syslog",
        /// Common Event Format, version 0.
        Cef = "cef",
    }
}

/// An entry with its place.
pub struct Placed<'e> {
    /// Position from 0.
    pub index: u64,
    /// The entry's bytes.
    pub entry: &'e [u8],
}

/// The parts of an entry that lines are made of.
struct Event {
    index: u64,
    hash: Hash,
    leaf: Leaf,
    json: Value,
}

/// The line for an entry, without a newline; nothing if the entry is no leaf.
#[must_use]
pub fn line(format: Format, placed: &Placed<'_>) -> Option<String> {
    let event = Event {
        index: placed.index,
        hash: leaf_hash(placed.entry),
        leaf: Leaf::parse(placed.entry)?,
        json: serde_json::from_slice(placed.entry).ok()?,
    };
    Some(match format {
        Format::Native => native(&event).to_string(),
        Format::Ocsf => ocsf::event(&event).to_string(),
        Format::Syslog => syslog::line(&event),
        Format::Cef => cef::line(&event),
    })
}

fn native(event: &Event) -> Value {
    json!({"index": event.index, "leaf_hash": event.hash.to_string(), "leaf": event.json})
}

impl Event {
    fn granted(&self) -> bool {
        self.leaf.out == "granted"
    }

    /// Milliseconds since 1970.
    fn time(&self) -> i64 {
        self.leaf
            .t
            .parse::<jiff::Timestamp>()
            .map_or(0, |at| at.as_millisecond())
    }
}
