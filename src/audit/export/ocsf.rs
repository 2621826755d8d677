//! OCSF 1.3.0, Datastore Activity (class 6005) with the profile `security_control`, which says what was decided.

use serde_json::{Value, json};

use super::{Event, PRODUCT, PROGRAM};
use crate::log::leaf;
use crate::model::actions::{Action, Activity};

const CLASS: u32 = 6005;

/// Keys of a leaf that an event leaves out: none. What the class has no attribute for is `unmapped`.
#[cfg(test)]
pub(super) const OMITS: &[&str] = &[];

/// A value of an enumeration: its id and its caption.
type Caption = (u32, &'static str);

const ALLOWED: Caption = (1, "Allowed");
const DENIED: Caption = (2, "Denied");

/// The vault's own making is no action that anybody asks for.
fn activity(act: &str) -> Activity {
    let made = if act == leaf::INIT {
        Activity::Create
    } else {
        Activity::Other
    };
    Action::from_word(act).map_or(made, |action| action.kind().activity)
}

const fn caption(activity: Activity) -> &'static str {
    match activity {
        Activity::Read => "Read",
        Activity::Update => "Update",
        Activity::Query => "Query",
        Activity::Create => "Create",
        Activity::Delete => "Delete",
        Activity::List => "List",
        Activity::Decrypt => "Decrypt",
        Activity::Other => "Other",
    }
}

/// `disposition_id`. Refusing somebody's request is a permitted act: only this tells it from approving one.
fn disposition(event: &Event) -> Caption {
    match event.decision() {
        _ if !event.granted() => (2, "Blocked"),
        Some("approved") => (8, "Approved"),
        Some("refused") => (25, "Rejected"),
        Some(_) => (99, "Other"),
        None => (1, "Allowed"),
    }
}

pub(super) fn event(event: &Event) -> Value {
    let leaf = &event.leaf;
    let activity = activity(&leaf.act);
    let granted = event.granted();
    let (severity_id, severity) = if granted { (1, "Informational") } else { (3, "Medium") };
    let (status_id, status) = if granted { (1, "Success") } else { (2, "Failure") };
    let (action_id, action) = if granted { ALLOWED } else { DENIED };
    let (disposition_id, disposition) = disposition(event);
    // What OCSF does not name is named by its source.
    let activity_name = match activity {
        Activity::Other => &leaf.act,
        named => caption(named),
    };
    without_nulls(json!({
        "category_uid": 6,
        "category_name": "Application Activity",
        "class_uid": CLASS,
        "class_name": "Datastore Activity",
        "activity_id": activity as u32,
        "activity_name": activity_name,
        "type_uid": CLASS * 100 + activity as u32,
        "type_name": format!("Datastore Activity: {}", caption(activity)),
        "time": event.time(),
        "message": event.summary(),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "status_code": leaf.out,
        "status_detail": leaf.why.as_deref().or(event.decision()),
        "action_id": action_id,
        "action": action,
        "disposition_id": disposition_id,
        "disposition": disposition,
        "metadata": metadata(event),
        "actor": actor(event),
        "src_endpoint": asked_from(event),
        "dst_endpoint": {"name": leaf.node, "svc_name": PROGRAM, "type_id": 1, "type": "Server"},
        "type_id": 1,
        "type": "Database",
        "database": {"name": PROGRAM, "type_id": 1, "type": "Relational"},
        "unmapped": unmapped(event),
    }))
}

/// The vault, which saw it.
fn metadata(event: &Event) -> Value {
    let leaf = &event.leaf;
    json!({
        "version": "1.3.0",
        "profiles": ["security_control"],
        "product": {"name": PRODUCT, "vendor_name": PRODUCT, "version": env!("CARGO_PKG_VERSION")},
        "log_provider": PRODUCT,
        "log_name": "audit",
        "log_version": leaf.v.to_string(),
        "event_code": leaf.act,
        "uid": leaf.id,
        "sequence": event.index,
        "correlation_uid": leaf.req,
        "original_time": leaf.t,
    })
}

/// Who asked.
fn actor(event: &Event) -> Value {
    let leaf = &event.leaf;
    let (type_id, r#type) = if event.is_of_vault() {
        (3, "System")
    } else {
        (1, "User")
    };
    let group = |kind: &str, name: &str| json!({"name": name, "type": kind});
    let department = group("department", &leaf.dept);
    let role = leaf.role.as_deref().map(|role| group("role", role));
    let groups: Vec<Value> = [Some(department), role].into_iter().flatten().collect();
    json!({
        "user": {
            "uid": leaf.actor,
            "type_id": type_id,
            "type": r#type,
            "credential_uid": leaf.token,
            "groups": groups,
        },
        // The service account that acts on behalf of this user.
        "app_uid": leaf.via,
        "authorizations": [{"decision": leaf.out, "policy": {"uid": leaf.policy}}],
    })
}

/// Where it was asked from: the log knows the token that the asker's program holds, and of the address a digest alone.
fn asked_from(event: &Event) -> Value {
    let leaf = &event.leaf;
    match &leaf.token {
        Some(token) => json!({"uid": token, "zone": leaf.dept}),
        None => json!({"name": leaf.node, "svc_name": PROGRAM}),
    }
}

fn unmapped(event: &Event) -> Value {
    let leaf = &event.leaf;
    json!({
        "leaf_hash": event.hash.to_string(),
        "ticket": leaf.ticket,
        "subject": leaf.subject,
        "nth": leaf.nth,
        "fields": leaf.fields,
        "form": leaf.form,
        "purpose": leaf.purpose,
        "approver": leaf.approver,
        "client": leaf.client,
        "link": leaf.link,
        "digest": leaf.digest,
    })
}

/// An attribute without a value is left out: null is no string.
fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(attributes) = &mut value {
        attributes.retain(|_, value| !value.is_null());
        for attribute in attributes.values_mut() {
            *attribute = without_nulls(attribute.take());
        }
    }
    value
}
