//! Common Event Format, version 0. Each key of the extension is used for what ArcSight's dictionary says it is; what has none
//! is a custom string with a label, or in the message.

use super::{DECISION, Event, PRODUCT};
use crate::log::leaf::Leaf;
use crate::merkle::Hash;
use crate::model::principals::Role;

/// Keys of a leaf that a line leaves out, or shows in numbers (`t`) or words of its own (`out`). `leaf_hash` leads to all of them.
#[cfg(test)]
pub(super) const OMITS: &[&str] = &["client", "digest", "out", "policy", "t", "token"];

/// Characters that `msg` may have.
const LONGEST_MESSAGE: usize = 1023;

pub(super) fn line(event: &Event) -> String {
    let leaf = &event.leaf;
    let severity = if event.granted() { 3 } else { 6 };
    let mut line = format!(
        "CEF:0|{PRODUCT}|{PRODUCT}|{}|{}|{}|{severity}|",
        env!("CARGO_PKG_VERSION"),
        header(&leaf.act),
        header(&event.summary()),
    );
    let mut pairs = dictionary(event);
    for (key, label, value) in custom(event) {
        if let Some(value) = value {
            pairs.push(format!("{key}={} {key}Label={label}", extension(&value)));
        }
    }
    if let Some(message) = message(leaf) {
        pairs.push(format!("msg={}", extension(&message)));
    }
    line.push_str(&pairs.join(" "));
    line
}

/// What the dictionary has a key for.
fn dictionary(event: &Event) -> Vec<String> {
    let leaf = &event.leaf;
    let outcome = if event.granted() { "success" } else { "failure" };
    // The account that it is about, or whose request was decided on.
    let named = |key| leaf.link.as_ref()?.get(key).cloned();
    let about = named("principal").or_else(|| named("asker"));
    let pairs = [
        ("rt", Some(event.time().to_string())),
        ("externalId", Some(leaf.id.clone())),
        ("act", Some(event.verdict().to_owned())),
        ("outcome", Some(outcome.to_owned())),
        ("reason", leaf.why.clone()),
        ("suid", Some(leaf.actor.clone())),
        ("spriv", privileges(leaf)),
        ("duid", about),
        ("dvchost", Some(leaf.node.clone())),
    ];
    pairs
        .into_iter()
        .filter_map(|(key, value)| Some(format!("{key}={}", extension(&value?))))
        .collect()
}

/// Key, label, value.
fn custom(event: &Event) -> [(&'static str, &'static str, Option<String>); 8] {
    let leaf = &event.leaf;
    [
        ("cn1", "index", Some(event.index.to_string())),
        ("cn2", "nth", leaf.nth.map(|nth| nth.to_string())),
        ("cs1", "purpose", Some(leaf.purpose.clone())),
        ("cs2", "ticket", leaf.ticket.clone()),
        ("cs3", "subject", leaf.subject.clone()),
        ("cs4", "fields", fields(leaf)),
        ("cs5", "department", Some(leaf.dept.clone())),
        ("cs6", "leaf_hash", Some(event.hash.to_string())),
    ]
}

/// `callback_number,name (clear)`.
fn fields(leaf: &Leaf) -> Option<String> {
    let fields = leaf.fields.as_ref()?.join(",");
    Some(match &leaf.form {
        Some(form) => format!("{fields} ({form})"),
        None => fields,
    })
}

/// The dictionary knows administrators, users and guests. The role itself is in the message.
fn privileges(leaf: &Leaf) -> Option<String> {
    let role: Role = leaf.role.as_deref().and_then(Role::from_word)?;
    let privileges = if role.is_administrator() {
        "Administrator"
    } else {
        "User"
    };
    Some(privileges.to_owned())
}

/// The rest, as far as there is room: role, request, service account, second person, and what the entry says of what it is about.
fn message(leaf: &Leaf) -> Option<String> {
    let mut said: Vec<(&str, &String)> = vec![("request", &leaf.req)];
    said.extend(leaf.role.iter().map(|role| ("role", role)));
    said.extend(leaf.via.iter().map(|via| ("via", via)));
    said.extend(leaf.approver.iter().map(|approver| ("approver", approver)));
    let link = leaf.link.iter().flatten();
    said.extend(link.map(|(key, value)| (key.as_str(), value)));
    // What must not be cut off comes first.
    said.sort_by_key(|(key, _)| *key != DECISION);
    let mut message = String::new();
    for (key, value) in said {
        let separator = if message.is_empty() { "" } else { "; " };
        let part = format!("{separator}{key}: {value}");
        if message.chars().count() + part.chars().count() <= LONGEST_MESSAGE {
            message.push_str(&part);
        }
    }
    (!message.is_empty()).then_some(message)
}

/// In the header backslash and pipe are escaped; it is one line.
fn header(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('|', "\\|");
    text.replace(['\n', '\r'], " ")
}

/// In an extension's value backslash, equals sign and line breaks are escaped.
fn extension(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('=', "\\=");
    text.replace('\n', "\\n").replace('\r', "\\r")
}

/// The entry's index and leaf hash in a line.
pub(super) fn entry_in(line: &str) -> Option<(u64, Hash)> {
    let extension = extension_of(line)?;
    let value = |key: &str| extension.split_once(key)?.1.split(' ').next();
    let hash = value(" cs6=")?.replace("\\=", "=");
    Some((value(" cn1=")?.parse().ok()?, hash.parse().ok()?))
}

/// What follows the seven fields of the header.
fn extension_of(line: &str) -> Option<&str> {
    let (mut fields, mut escaped) = (0, false);
    for (at, character) in line.char_indices() {
        fields += u8::from(character == '|' && !escaped);
        escaped = character == '\\' && !escaped;
        if fields == 7 {
            return line.get(at + 1..);
        }
    }
    None
}
