//! Entries of the log as lines for other systems. Each line carries index and leaf hash, so that whoever gathers them can
//! count gaps and check any of them against the log. Projections: the log stays what it is.

mod cef;
mod ocsf;
mod syslog;

use serde_json::{Value, json};

use crate::log::ProvedEntry;
use crate::log::leaf::Leaf;
use crate::merkle::Hash;
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

/// The parts of an entry that lines are made of.
struct Event {
    index: u64,
    hash: Hash,
    leaf: Leaf,
    json: Value,
}

/// The line for an entry, without a newline; nothing if the entry is no leaf.
#[must_use]
pub fn line(format: Format, entry: &ProvedEntry) -> Option<String> {
    let event = Event {
        index: entry.index(),
        hash: *entry.hash(),
        leaf: entry.leaf()?,
        json: serde_json::from_slice(entry.body()).ok()?,
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

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::log::leaf::KEYS;
    use crate::merkle::leaf_hash;
    use crate::store::rows::EntryRow;

    /// A leaf with every key, and for each what to look for in a line. The format's version is told by no mark.
    fn every_key() -> (ProvedEntry, Vec<(&'static str, String)>) {
        let mut leaf = Map::new();
        let mut marks = Vec::new();
        for (key, _) in KEYS {
            let mark = match *key {
                "t" => "2026-12-01T02:00:00.000Z".to_owned(),
                key => format!("mark-of-{key}-"),
            };
            let value = match *key {
                "v" => json!(1),
                "fields" => json!([mark]),
                "digest" | "link" => json!({"place": mark}),
                _ => json!(mark),
            };
            leaf.insert((*key).to_owned(), value);
            marks.push((*key, mark));
        }
        marks.retain(|(key, _)| *key != "v");
        let body = serde_json_canonicalizer::to_vec(&leaf).unwrap();
        let row = EntryRow {
            idx: 7,
            leaf_hash: leaf_hash(&body),
            body,
        };
        (ProvedEntry::new(row).unwrap(), marks)
    }

    /// A new key of the leaf is in neither until somebody decides.
    #[test]
    fn a_key_is_in_the_projection_or_on_its_list_of_omissions() {
        let (entry, marks) = every_key();
        for format in Format::ALL {
            let line = line(*format, &entry).unwrap();
            let absent: Vec<&str> = marks
                .iter()
                .filter(|(_, mark)| !line.contains(mark))
                .map(|(key, _)| *key)
                .collect();
            let omits = match format {
                Format::Native => &[][..],
                Format::Ocsf => ocsf::OMITS,
                Format::Syslog => syslog::OMITS,
                Format::Cef => cef::OMITS,
            };
            assert_eq!(absent, omits, "{format}");
        }
    }
}
