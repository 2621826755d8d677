//! Common Event Format, version 0.

use super::Event;

/// Keys of a leaf that a line leaves out or shows in numbers of its own (`t`). `leaf_hash` leads to all of them.
#[cfg(test)]
pub(super) const OMITS: &[&str] = &["approver", "digest", "link", "policy", "t", "token"];

pub(super) fn line(event: &Event) -> String {
    let leaf = &event.leaf;
    let severity = if event.granted() { 3 } else { 6 };
    let mut line = format!(
        "CEF:0|CallerVault|CallerVault|{}|{}|{}|{severity}|",
        env!("CARGO_PKG_VERSION"),
        header(&leaf.act),
        header(&leaf.act),
    );
    let fields = leaf.fields.as_ref().map(|fields| fields.join(","));
    let pairs = [
        ("rt", Some(event.time().to_string())),
        ("externalId", Some(leaf.id.clone())),
        ("outcome", Some(leaf.out.clone())),
        ("reason", leaf.why.clone()),
        ("suid", Some(leaf.actor.clone())),
        ("sourceServiceName", Some(leaf.dept.clone())),
        ("spriv", leaf.role.clone()),
        ("dvchost", Some(leaf.node.clone())),
        ("deviceExternalId", Some(leaf.req.clone())),
        ("cn1", Some(event.index.to_string())),
        ("cn1Label", Some("index".to_owned())),
        ("cs1", Some(leaf.purpose.clone())),
        ("cs1Label", Some("purpose".to_owned())),
        ("cs2", leaf.ticket.clone()),
        ("cs2Label", leaf.ticket.as_ref().map(|_| "ticket".to_owned())),
        ("cs3", leaf.subject.clone()),
        ("cs3Label", leaf.subject.as_ref().map(|_| "subject".to_owned())),
        ("cs4", fields.clone()),
        ("cs4Label", fields.as_ref().map(|_| "fields".to_owned())),
        ("cs5", leaf.form.clone()),
        ("cs5Label", leaf.form.as_ref().map(|_| "form".to_owned())),
        ("cs6", Some(event.hash.to_string())),
        ("cs6Label", Some("leaf_hash".to_owned())),
    ];
    let pairs: Vec<String> = pairs
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", extension(&value?))))
        .collect();
    line.push_str(&pairs.join(" "));
    line
}

/// In the header backslash and pipe are escaped.
fn header(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|")
}

/// In an extension's value backslash, equals sign and line breaks are escaped.
fn extension(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('=', "\\=");
    text.replace('\n', "\\n").replace('\r', "\\r")
}
