//! OCSF 1.x, Datastore Activity (class 6005).

use serde_json::{Value, json};

use super::Event;
use crate::log::leaf;
use crate::model::actions::{Action, Activity};

const CLASS: u32 = 6005;

/// Keys of a leaf that an event leaves out or shows in numbers of its own (`out`, `t`). `leaf_hash` leads to all of them.
#[cfg(test)]
pub(super) const OMITS: &[&str] = &["digest", "link", "out", "t", "token"];

/// `activity_id`. The vault's own making is no action that anybody asks for.
fn activity(act: &str) -> u32 {
    let made = if act == leaf::INIT {
        Activity::Create
    } else {
        Activity::Other
    };
    Action::from_word(act).map_or(made, |action| action.kind().activity) as u32
}

pub(super) fn event(event: &Event) -> Value {
    let leaf = &event.leaf;
    let activity = activity(&leaf.act);
    let resource = |kind: &str, uid: &Option<String>| uid.as_ref().map(|uid| json!({"type": kind, "uid": uid}));
    let resources: Vec<Value> = [resource("ticket", &leaf.ticket), resource("caller", &leaf.subject)]
        .into_iter()
        .flatten()
        .collect();
    json!({
        "category_uid": 6,
        "class_uid": CLASS,
        "activity_id": activity,
        "type_uid": CLASS * 100 + activity,
        "time": event.time(),
        "severity_id": if event.granted() { 1 } else { 3 },
        "status_id": if event.granted() { 1 } else { 2 },
        "status_detail": leaf.why,
        "metadata": {
            "version": "1.3.0",
            "product": {"name": "CallerVault", "vendor_name": "CallerVault", "version": env!("CARGO_PKG_VERSION")},
            "uid": leaf.id,
            "sequence": event.index,
            "correlation_uid": leaf.req,
        },
        "actor": {
            "user": {"uid": leaf.actor, "groups": [{"name": leaf.dept}]},
            "authorizations": [{"policy": {"uid": leaf.policy}}],
        },
        "src_endpoint": {"uid": leaf.node},
        "database": {"name": "callervault", "type_id": 1},
        "resources": resources,
        "unmapped": {
            "leaf_hash": event.hash.to_string(),
            "act": leaf.act,
            "role": leaf.role,
            "fields": leaf.fields,
            "form": leaf.form,
            "purpose": leaf.purpose,
            "approver": leaf.approver,
        },
    })
}
