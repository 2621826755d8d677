//! `callervault audit roles`.

use clap::Args;
use form_urlencoded::Serializer;
use serde_json::Value;

use super::remote::{Remote, TokenFrom};
use crate::cli::{Done, Failure, say};

/// List role changes, newest first: whose account, which roles, when and by whom.
#[derive(Args)]
pub(super) struct Roles {
    /// Id of one account [default: all accounts].
    #[arg(long, value_name = "ID")]
    principal: Option<String>,
    /// Start: a day in the vault's local time, such as 2026-11-01, or an RFC 3339 time with its offset.
    #[arg(long)]
    from: Option<String>,
    /// End: a day (included) or a time (excluded).
    #[arg(long)]
    to: Option<String>,
    /// URL of a running server.
    #[arg(long)]
    url: String,
    #[command(flatten)]
    token: TokenFrom,
    /// Print each change as JSON.
    #[arg(long)]
    json: bool,
}

impl Roles {
    pub(super) fn run(self) -> Done {
        let remote = Remote::new(&self.url, &self.token)?;
        let mut after: Option<String> = None;
        loop {
            let page = remote.json(&self.address(after.as_deref()))?;
            for item in page.get("items").and_then(Value::as_array).into_iter().flatten() {
                if self.json { say(item)? } else { told(item)? }
            }
            match page.get("next").and_then(Value::as_str) {
                Some(next) => after = Some(next.to_owned()),
                None => return Ok(()),
            }
        }
    }

    fn address(&self, after: Option<&str>) -> String {
        let given = [
            ("principal", self.principal.as_deref()),
            ("from", self.from.as_deref()),
            ("to", self.to.as_deref()),
            ("after", after),
        ];
        let given = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let query = Serializer::new(String::new()).extend_pairs(given).finish();
        format!("/v1/audit/roles?{query}")
    }
}

/// An id, and in brackets the name, where the answer has one.
fn named(item: &Value, id: &str, name: &str) -> Option<String> {
    let id = item.get(id).and_then(Value::as_str)?;
    Some(match item.get(name).and_then(Value::as_str) {
        Some(name) => format!("{id} ({name})"),
        None => id.to_owned(),
    })
}

fn words(item: &Value, name: &str) -> Option<String> {
    let words = item.get(name).and_then(Value::as_array)?;
    let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
    Some(words.join(", "))
}

fn told(item: &Value) -> Result<(), Failure> {
    let index = item.get("index").and_then(Value::as_u64).unwrap_or_default();
    let at = item.get("t").and_then(Value::as_str).unwrap_or("-");
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
