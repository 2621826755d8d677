//! Accounts and departments by the names that people know them by.

use serde_json::{Value, json};

use super::Failure;
use super::server::Server;
use crate::model::ids::PrincipalId;
use crate::model::reference::DepartmentCode;

pub(super) const PRINCIPALS: &str = "/v1/admin/principals";
pub(super) const DEPARTMENTS: &str = "/v1/admin/departments";

impl Server {
    /// The account of this name, if there is one.
    pub(super) fn account_named(&self, name: &str) -> Result<Option<Value>, Failure> {
        let found = self.post(&format!("{PRINCIPALS}/find"), &json!({"name": name, "limit": 1}))?;
        // The first name that begins so is this one, if any is.
        let first = found.pointer("/items/0").cloned();
        Ok(first.filter(|one| one.get("name").and_then(Value::as_str) == Some(name)))
    }

    /// An account by its name or its id.
    pub(super) fn account(&self, who: &str) -> Result<Value, Failure> {
        let account = match as_id(who) {
            Some(id) => self.first(PRINCIPALS, "id", &id)?,
            None => self.account_named(who)?,
        };
        account.ok_or_else(|| no_account(who))
    }

    /// The id of an account by its name. An id is itself: whether there is one, the server says.
    pub(super) fn account_id(&self, who: &str) -> Result<String, Failure> {
        if let Some(id) = as_id(who) {
            return Ok(id);
        }
        let account = self.account_named(who)?.ok_or_else(|| no_account(who))?;
        let id = account.get("id").and_then(Value::as_str).map(str::to_owned);
        id.ok_or_else(|| no_account(who))
    }

    /// A department by its code.
    pub(super) fn department(&self, code: DepartmentCode) -> Result<Value, Failure> {
        let department = self.first(DEPARTMENTS, "code", code.as_str())?;
        department.ok_or_else(|| {
            Failure::usage(format!(
                "there is no department {code}\n  `callervault department list` lists them"
            ))
        })
    }

    /// The first item of a list that has this word.
    fn first(&self, path: &str, name: &str, word: &str) -> Result<Option<Value>, Failure> {
        let mut found = None;
        self.each(path, |item| {
            if item.get(name).and_then(Value::as_str) == Some(word) {
                found = Some(item);
            }
            found.is_none()
        })?;
        Ok(found)
    }
}

/// The version in an answer, which a change names so that nobody's change is lost.
pub(super) fn version(item: &Value) -> u64 {
    item.get("version").and_then(Value::as_u64).unwrap_or_default()
}

/// 32 hexadecimal digits are always an id, also where an account has them as its name.
fn as_id(who: &str) -> Option<String> {
    who.parse().ok().map(|id: PrincipalId| id.to_string())
}

fn no_account(who: &str) -> Failure {
    Failure::usage(format!(
        "there is no account {who}\n  `callervault principal find {who}` lists those whose names begin so"
    ))
}
