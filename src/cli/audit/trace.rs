//! `callervault audit trace`.

use clap::Args;
use serde_json::{Value, json};

use super::remote::Remote;
use crate::cli::client::not_a_vault;
use crate::cli::server::Reach;
use crate::cli::show::quiet;
use crate::cli::{Done, Failure, say};
use crate::log::mark::Mark;

/// Find the read behind a trace mark: who read which fields, when and for which ticket. Exit 1 if there is none.
#[derive(Args)]
pub(super) struct Trace {
    /// The mark as printed, with or without hyphens.
    mark: String,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

impl Trace {
    pub(super) fn run(self, reach: &Reach) -> Done {
        let mark: Mark = self.mark.parse().map_err(Failure::usage)?;
        let remote = Remote::new(reach)?;
        let answer = remote.post("/v1/audit/trace", &json!({"mark": mark}))?;
        // A server without such an address is no vault that has no such read.
        if answer.status == 404 && answer.json().get("type").is_some() {
            return Err(Failure::check_failed(format!(
                "no read has the mark {mark}\n  it may belong to another vault; `callervault fsck` checks the index of this one"
            )));
        }
        let found = answer.good(&["/entries"])?;
        if self.json {
            return Ok(say(found)?);
        }
        let entries = found.get("entries").and_then(Value::as_array);
        entries.ok_or_else(not_a_vault)?.iter().try_for_each(told)
    }
}

fn text(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .map_or_else(|| "-".to_owned(), quiet)
}

/// The id, and in brackets the name, where the answer has one.
fn named(entry: &Value, name: &str, id: &str) -> String {
    let id = text(entry, id);
    match entry.pointer(name).and_then(Value::as_str) {
        Some(name) => format!("{id} ({})", quiet(name)),
        None => id,
    }
}

fn told(entry: &Value) -> Done {
    let fields: Vec<String> = entry
        .pointer("/leaf/fields")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(quiet)
        .collect();
    let index = entry.get("index").and_then(Value::as_u64).unwrap_or_default();
    say(format!("entry {index} of the log, {}", text(entry, "/leaf/t")))?;
    say(format!(
        "  read by     {} of department {} as {}",
        named(entry, "/actor_name", "/leaf/actor"),
        named(entry, "/department_name", "/leaf/dept"),
        text(entry, "/leaf/role")
    ))?;
    say(format!(
        "  for ticket  {}, to {}",
        text(entry, "/leaf/ticket"),
        text(entry, "/leaf/purpose")
    ))?;
    say(format!(
        "  shown       {} ({})",
        fields.join(", "),
        text(entry, "/leaf/form")
    ))?;
    say(format!("  of caller   {}", text(entry, "/leaf/subject")))?;
    say(format!("  leaf hash   {}", text(entry, "/leaf_hash")))?;
    Ok(())
}
