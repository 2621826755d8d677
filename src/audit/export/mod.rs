//! Entries of the log as lines for other systems. Each line carries index and leaf hash, so that its reader can count gaps and
//! check any line against the log, and says what was decided. Projections: the log stays what it is.

mod cef;
mod ocsf;
mod syslog;

use serde_json::{Value, json};

use crate::log::ProvedEntry;
use crate::log::leaf::{Leaf, OF_VAULT};
use crate::merkle::Hash;
use crate::model::word_enum::word_enum;

word_enum! {
    /// How a line is written.
    pub enum Format {
        /// JSON: index, leaf hash and the leaf.
        Native = "native",
        /// OCSF 1.3.0, class 6005 Datastore Activity, as JSON.
        Ocsf = "ocsf",
        /// RFC 5424 with the leaf as JSON in the message.
        Syslog = "syslog",
        /// Common Event Format, version 0.
        Cef = "cef",
    }
}

/// The name of vendor and product in lines.
const PRODUCT: &str = "CallerVault";
/// The name of the program in lines.
const PROGRAM: &str = "callervault";
/// The key in a leaf's `link` that says what a second person decided on a request.
const DECISION: &str = "decision";

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

/// Index and leaf hash of the entry that a whole line of any format was made of. None if it is no such line.
#[must_use]
pub fn entry_in(line: &str) -> Option<(u64, Hash)> {
    if line.starts_with('{') {
        let json: Value = serde_json::from_str(line).ok()?;
        let index = json.get("index").or_else(|| json.pointer("/metadata/sequence"));
        let hash = json.get("leaf_hash").or_else(|| json.pointer("/unmapped/leaf_hash"));
        return Some((index?.as_u64()?, hash?.as_str()?.parse().ok()?));
    }
    if line.starts_with('<') {
        return syslog::entry_in(line);
    }
    cef::entry_in(line)
}

/// The index of that entry.
#[must_use]
pub fn index_in(line: &str) -> Option<u64> {
    entry_in(line).map(|(index, _)| index)
}

/// What each line of a format begins with.
#[must_use]
pub const fn beginning(format: Format) -> &'static str {
    match format {
        Format::Native => "{\"index\":",
        Format::Ocsf => "{\"category_uid\":",
        Format::Syslog => "<10",
        Format::Cef => "CEF:0|CallerVault|",
    }
}

fn native(event: &Event) -> Value {
    json!({"index": event.index, "leaf_hash": event.hash.to_string(), "leaf": event.json})
}

impl Event {
    fn granted(&self) -> bool {
        self.leaf.out == "granted"
    }

    /// Whether the vault did it by itself.
    fn is_of_vault(&self) -> bool {
        OF_VAULT.contains(&self.leaf.act.as_str())
    }

    /// What a second person decided on a request: `approved` or `refused`.
    fn decision(&self) -> Option<&str> {
        self.leaf.link.as_ref()?.get(DECISION).map(String::as_str)
    }

    /// What was decided: on somebody else's request, or else on this one.
    fn verdict(&self) -> &str {
        self.decision().unwrap_or(&self.leaf.out)
    }

    /// The act and what was decided.
    fn summary(&self) -> String {
        format!("{} {}", self.leaf.act, self.verdict())
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
                "nth" => "70007".to_owned(),
                key => format!("mark-of-{key}-"),
            };
            let value = match *key {
                "v" => json!(1),
                "nth" => json!(70007),
                "fields" => json!([mark]),
                "digest" | "link" => json!({"decision": mark, "place": "elsewhere"}),
                _ => json!(mark),
            };
            leaf.insert((*key).to_owned(), value);
            marks.push((*key, mark));
        }
        marks.retain(|(key, _)| *key != "v");
        (entry(&leaf), marks)
    }

    fn entry(leaf: &Map<String, Value>) -> ProvedEntry {
        let body = serde_json_canonicalizer::to_vec(leaf).unwrap();
        let row = EntryRow {
            idx: 7,
            leaf_hash: leaf_hash(&body),
            body,
        };
        ProvedEntry::new(row).unwrap()
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

    #[test]
    fn a_line_names_its_entry_and_begins_as_its_format_does() {
        let (entry, _) = every_key();
        for format in Format::ALL {
            let line = line(*format, &entry).unwrap();
            assert_eq!(entry_in(&line), Some((7, *entry.hash())), "{format}");
            assert!(line.starts_with(beginning(*format)), "{line}");
        }
        for other in ["", "{}", "a note", "<b>", "CEF:0|", "{\"index\": -1}"] {
            assert_eq!(entry_in(other), None, "{other}");
        }
    }

    /// What stands in a leaf cannot end a line or its value and go on as something else.
    #[test]
    fn no_value_breaks_out_of_its_place() {
        const HOSTILE: &str = "x|y=z] \"q\" \\ cn1=8 \n<1>1 {\r";
        let (whole, _) = every_key();
        let mut leaf: Map<String, Value> = serde_json::from_slice(whole.body()).unwrap();
        for (key, value) in &mut leaf {
            match key.as_str() {
                "v" | "fields" | "nth" => {}
                "digest" | "link" => *value = json!({"decision": HOSTILE}),
                _ => *value = json!(HOSTILE),
            }
        }
        for format in Format::ALL {
            let line = line(*format, &entry(&leaf)).unwrap();
            assert!(!line.contains(['\n', '\r']), "{format}: {line}");
            assert_eq!(index_in(&line), Some(7), "{format}: {line}");
        }
    }
}
