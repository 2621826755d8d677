//! `callervault audit roles`.

use clap::Args;
use form_urlencoded::Serializer;
use serde_json::Value;

use super::remote::Remote;
use crate::cli::client::not_a_vault;
use crate::cli::server::Reach;
use crate::cli::show::quiet;
use crate::cli::{Done, Failure, say};
use crate::model::ids::PrincipalId;

/// Most changes of one page.
const MOST: &str = "200";

/// List role changes, newest first: whose account, which roles, when and by whom.
#[derive(Args)]
pub(super) struct Roles {
    /// One account: its name, or its id [default: all accounts].
    #[arg(long, value_name = "ACCOUNT")]
    principal: Option<String>,
    /// Start: a day in the vault's local time, such as 2026-11-01, or an RFC 3339 time with its offset.
    #[arg(long)]
    from: Option<String>,
    /// End: a day (included) or a time (excluded).
    #[arg(long)]
    to: Option<String>,
    /// Print each change as JSON.
    #[arg(long)]
    json: bool,
}

impl Roles {
    pub(super) fn run(self, reach: &Reach) -> Done {
        let remote = Remote::new(reach)?;
        let id = self
            .principal
            .as_deref()
            .map(|who| account_id(&remote, who))
            .transpose()?;
        let given = [
            ("principal", id.as_deref()),
            ("from", self.from.as_deref()),
            ("to", self.to.as_deref()),
        ];
        changes(&remote, &given, |item| {
            if self.json {
                say(item)?
            } else {
                told(item)?
            }
            Ok(true)
        })
    }
}

/// The id of an account by its name: who may read the log may not list accounts, but the log has each.
fn account_id(remote: &Remote, who: &str) -> Result<String, Failure> {
    if let Ok(id) = who.parse::<PrincipalId>() {
        return Ok(id.to_string());
    }
    let mut found = None;
    changes(remote, &[("limit", Some(MOST))], |item| {
        let text = |name| item.get(name).and_then(Value::as_str);
        if text("account") == Some(who) {
            found = text("principal").map(str::to_owned);
        }
        Ok(found.is_none())
    })?;
    found.ok_or_else(|| {
        Failure::usage(format!(
            "the log has no account {who}\n  give its whole name, or its id"
        ))
    })
}

/// Takes the changes of roles, newest first, for as long as `each` says so.
fn changes(
    remote: &Remote,
    given: &[(&str, Option<&str>)],
    mut each: impl FnMut(&Value) -> Result<bool, Failure>,
) -> Done {
    let mut after: Option<String> = None;
    loop {
        let given = given.iter().copied().chain([("after", after.as_deref())]);
        let given = given.filter_map(|(name, value)| Some((name, value?)));
        let query = Serializer::new(String::new()).extend_pairs(given).finish();
        let page = remote.json(&format!("/v1/audit/roles?{query}"))?;
        let items = page.get("items").and_then(Value::as_array);
        for item in items.ok_or_else(not_a_vault)? {
            if !each(item)? {
                return Ok(());
            }
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) => after = Some(next.to_owned()),
            None => return Ok(()),
        }
    }
}

/// An id, and in brackets the name, where the answer has one.
fn named(item: &Value, id: &str, name: &str) -> Option<String> {
    let id = quiet(item.get(id).and_then(Value::as_str)?);
    Some(match item.get(name).and_then(Value::as_str) {
        Some(name) => format!("{id} ({})", quiet(name)),
        None => id,
    })
}

fn words(item: &Value, name: &str) -> Option<String> {
    let words = item.get(name).and_then(Value::as_array)?;
    let words: Vec<String> = words.iter().filter_map(Value::as_str).map(quiet).collect();
    Some(words.join(", "))
}

fn told(item: &Value) -> Result<(), Failure> {
    let index = item.get("index").and_then(Value::as_u64).unwrap_or_default();
    let at = quiet(item.get("t").and_then(Value::as_str).unwrap_or("-"));
    say(format!("entry {index} of the log, {at}"))?;
    let account = named(item, "principal", "account").unwrap_or_default();
    let department = named(item, "department", "department_name");
    let department = department.map_or_else(String::new, |department| format!(" of department {department}"));
    say(format!("  account     {account}{department}"))?;
    let before = words(item, "roles_before").unwrap_or_else(|| "none".to_owned());
    let roles = words(item, "roles").unwrap_or_default();
    say(format!("  roles       {roles}; before: {before}"))?;
    if let Some(acts_for) = item.get("acts_for").and_then(Value::as_bool) {
        let may = if acts_for { "may act" } else { "may no longer act" };
        say(format!(
            "  for others  {may} on behalf of the persons of its department"
        ))?;
    }
    if let Some(active) = item.get("active").and_then(Value::as_bool) {
        say(format!("  switched    {}", if active { "on" } else { "off" }))?;
    }
    let by = named(item, "by", "by_name").unwrap_or_else(|| "callervault init".to_owned());
    let approver = named(item, "approver", "approver_name");
    let approver = approver.map_or_else(String::new, |approver| format!(", approved by {approver}"));
    say(format!("  by          {by}{approver}"))?;
    Ok(())
}
