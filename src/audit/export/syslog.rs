//! RFC 5424.

use super::Event;
use crate::merkle::Hash;

/// Keys of a leaf that a line leaves out: none, the leaf is its message.
#[cfg(test)]
pub(super) const OMITS: &[&str] = &[];

/// Facility 13, log audit (RFC 5424 §6.2.1).
const FACILITY: u8 = 13;
const WARNING: u8 = 4;
const NOTICE: u8 = 5;

/// The longest `HOSTNAME` and `MSGID` (RFC 5424 §6), in characters.
const LONGEST_HOST: usize = 255;
const LONGEST_ID: usize = 32;

/// Name of the structured data. The enterprise number is the one that IANA keeps for examples (RFC 5612): the data is told by
/// its parameters' names.
const DATA: &str = "audit@32473";

pub(super) fn line(event: &Event) -> String {
    let leaf = &event.leaf;
    let severity = if event.granted() { NOTICE } else { WARNING };
    let mut data = format!("{DATA} idx=\"{}\" leaf=\"{}\"", event.index, event.hash);
    let said = [
        ("outcome", Some(leaf.out.as_str())),
        ("why", leaf.why.as_deref()),
        ("decision", event.decision()),
    ];
    for (name, value) in said {
        if let Some(value) = value {
            data.push_str(&format!(" {name}=\"{}\"", parameter(value)));
        }
    }
    format!(
        "<{}>1 {} {} callervault - {} [{data}] {}",
        FACILITY * 8 + severity,
        header(&leaf.t, LONGEST_ID),
        header(&leaf.node, LONGEST_HOST),
        header(&leaf.act, LONGEST_ID),
        ascii(&event.json.to_string()),
    )
}

/// Printable ASCII without spaces, as the header wants it (RFC 5424 §6: PRINTUSASCII).
fn header(text: &str, longest: usize) -> String {
    let kept: String = text.chars().filter(char::is_ascii_graphic).take(longest).collect();
    if kept.is_empty() { "-".to_owned() } else { kept }
}

/// In a parameter's value quote, backslash and bracket are escaped (RFC 5424 §6.3.3); it is one line.
fn parameter(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars().filter(|character| !character.is_control()) {
        if matches!(character, '"' | '\\' | ']') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// The same JSON in ASCII. A message in UTF-8 must begin with a byte order mark (RFC 5424 §6.4), which readers of JSON refuse.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}

/// The entry's index and leaf hash in a line.
pub(super) fn entry_in(line: &str) -> Option<(u64, Hash)> {
    let (_, rest) = line.split_once(&format!(" [{DATA} idx=\""))?;
    let (index, rest) = rest.split_once("\" leaf=\"")?;
    Some((index.parse().ok()?, rest.split('"').next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{ascii, parameter};

    #[test]
    fn a_message_is_ascii_and_the_same_json() {
        let json = serde_json::json!({"node": "熱線-😀"}).to_string();
        assert!(!json.is_ascii() && ascii(&json).is_ascii());
        let again: serde_json::Value = serde_json::from_str(&ascii(&json)).unwrap();
        assert_eq!(again.to_string(), json);
    }

    #[test]
    fn a_parameter_ends_where_its_quote_is() {
        assert_eq!(parameter("a\"b\\c]d\ne"), "a\\\"b\\\\c\\]de");
    }
}
