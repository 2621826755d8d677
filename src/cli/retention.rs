//! `callervault retention`: callers are erased after a period.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::not_a_vault;
use super::server::{Asking, Call, Server};
use super::show::Column;
use super::{Done, Failure};

const PREVIEW: &str = "/v1/retention/preview";
const STANDING: &[Column] = &[
    ("periods", "/periods"),
    ("in force", "/in_force"),
    ("months", "/months"),
    ("newest run", "/run_at"),
    ("erased by it", "/erased"),
    ("kept by a fault", "/faulty"),
    ("all kept by one", "/all_kept"),
    ("put off", "/put_off"),
    ("due next", "/next_run/due"),
    ("kept", "/next_run/kept"),
    ("not yet", "/next_run/early"),
    ("faults", "/next_run/faulty"),
    ("allowed", "/next_run/allowed"),
    ("too many", "/next_run/too_many"),
    ("log entry", "/audit/index"),
];
const LINES: &[Column] = &[("kind", "/kind"), ("closed in", "/month"), ("tickets", "/tickets")];
const HOLDS: &[Column] = &[("overdue hold", "/id"), ("review", "/review"), ("owner", "/owner")];
const ENFORCED: &[Column] = &[("periods", "/periods"), ("log entry", "/audit/index")];

/// See what is past its period of retention, and have it erased, through a running server.
#[derive(Args)]
pub(super) struct Retention {
    #[command(flatten)]
    asking: Asking,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Show tickets past their periods by kind and month, what the next run would do, and legal holds whose review is overdue.
    Preview,
    /// Put the periods of retention.toml in force as the file stands: a run begins, and one each day from then on. Needs --reason, and another
    /// person's approval.
    Run {
        /// Change nothing: show what the run would do.
        #[arg(long)]
        dry_run: bool,
        /// How many callers the run may erase, where more are due than it may otherwise.
        #[arg(long, value_name = "CALLERS", conflicts_with = "dry_run")]
        most: Option<u32>,
    },
}

impl Retention {
    pub(super) fn run(self) -> Done {
        let server = self.asking.server()?;
        match self.verb {
            Verb::Preview => preview(&server),
            Verb::Run { dry_run: true, .. } => server.show(&server.get(PREVIEW)?, STANDING),
            Verb::Run { most, .. } => {
                let standing = server.get(PREVIEW)?;
                let periods = standing
                    .get("periods")
                    .and_then(Value::as_str)
                    .ok_or_else(not_a_vault)?;
                let body = json!({"periods": periods, "most": most});
                server.change(&Call::new("POST", "/v1/retention/enforce", Some(body)), ENFORCED)
            }
        }
    }
}

fn preview(server: &Server) -> Result<(), Failure> {
    let mut first = server.get(&format!("{PREVIEW}?limit=200"))?;
    let mut lines = server.list(PREVIEW)?;
    if server.is_json() {
        first["items"] = std::mem::take(&mut lines).into();
        return server.show(&first, STANDING);
    }
    server.show(&first, STANDING)?;
    server.show_all(&lines, LINES)?;
    let holds = first.get("overdue_holds").and_then(Value::as_array);
    server.show_all(holds.map_or(&[][..], Vec::as_slice), HOLDS)
}
