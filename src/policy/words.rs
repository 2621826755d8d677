//! Words in policies. Cedar's validator knows attributes, roles and actions; a string is any string to it, so that
//! `context.purpose == "handel"` would pass and never hold. Here every string must be a word of its attribute.

use serde_json::Value;

use crate::model::ask::Action;
use crate::model::fields::{Class, Group};
use crate::model::ids::RecordKind;
use crate::model::principals::DepartmentKind;
use crate::model::purposes::{Form, Purpose};

/// What `context.form` is when no form was asked for.
pub(super) const NO_FORM: &str = "none";
/// What `context.approves` is when nothing is approved.
pub(super) const NO_ACTION: &str = "none";

/// The words that the attribute can have.
fn is_word(attribute: &str, word: &str) -> bool {
    match attribute {
        "form" => word == NO_FORM || Form::from_word(word).is_some(),
        "approves" => word == NO_ACTION || Action::from_word(word).is_some(),
        "purpose" => Purpose::from_word(word).is_some(),
        "department_kind" => DepartmentKind::from_word(word).is_some(),
        "record" => RecordKind::from_word(word).is_some(),
        "group" => Group::from_word(word).is_some(),
        "class" => Class::from_word(word).is_some(),
        _ => false,
    }
}

/// The first string in a policy's JSON form that is not compared, as a whole, with an attribute that can have it.
pub(super) fn first_stray(node: &Value) -> Option<String> {
    stray(node, None)
}

fn stray(node: &Value, attribute: Option<&str>) -> Option<String> {
    match node {
        Value::Array(items) => items.iter().find_map(|item| stray(item, attribute)),
        Value::Object(members) => members
            .iter()
            .find_map(|(operator, body)| match (operator.as_str(), body) {
                ("Value", Value::String(word)) => {
                    (!attribute.is_some_and(|attribute| is_word(attribute, word))).then(|| word.clone())
                }
                ("like", _) => Some("like".to_owned()),
                ("==" | "!=" | "contains", _) => stray(body, compared(body)),
                ("left" | "right" | "Set", _) => stray(body, attribute),
                _ => stray(body, None),
            }),
        _ => None,
    }
}

/// The attribute on either side of a comparison.
fn compared(sides: &Value) -> Option<&str> {
    ["left", "right"]
        .iter()
        .find_map(|side| sides.get(side)?.get(".")?.get("attr")?.as_str())
}
