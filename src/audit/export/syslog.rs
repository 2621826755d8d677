//! RFC 5424.

use super::Event;

/// Keys of a leaf that a line leaves out: none, the leaf is its message.
#[cfg(test)]
pub(super) const OMITS: &[&str] = &[];

/// Facility 13, log audit (RFC 5424 §6.2.1).
const FACILITY: u8 = 13;
const WARNING: u8 = 4;
const NOTICE: u8 = 5;

/// The number that IANA keeps for examples (RFC 5612): the structured data is told by its parameters' names.
const ENTERPRISE: u32 = 32473;

pub(super) fn line(event: &Event) -> String {
    let leaf = &event.leaf;
    let severity = if event.granted() { NOTICE } else { WARNING };
    // No value of a leaf holds a quote, a backslash or a bracket where it stands in structured data: digits and base64.
    format!(
        "<{}>1 {} {} callervault - {} [audit@{ENTERPRISE} idx=\"{}\" leaf=\"{}\"] {}",
        FACILITY * 8 + severity,
        leaf.t,
        header(&leaf.node),
        header(&leaf.act),
        event.index,
        event.hash,
        event.json,
    )
}

/// Printable ASCII without spaces, as the header wants it (RFC 5424 §6: PRINTUSASCII).
fn header(text: &str) -> String {
    let kept: String = text.chars().filter(char::is_ascii_graphic).take(32).collect();
    if kept.is_empty() { "-".to_owned() } else { kept }
}
