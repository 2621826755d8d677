//! `callervault approvals`: what takes two persons, as the second one and as the one who asked see it.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::server::{Asking, Call, Server, approval_id};
use super::show::Column;
use super::{Done, Failure};

const APPROVALS: &str = "/v1/approvals";

const COLUMNS: &[Column] = &[
    ("id", "/id"),
    ("state", "/state"),
    ("act", "/action"),
    ("account", "/about/account"),
    ("roles", "/about/roles"),
    ("asked by", "/asker/account"),
    ("good until", "/expires_at"),
    ("reason", "/asker_reason"),
];
const DETAILS: &[Column] = &[
    ("id", "/id"),
    ("state", "/state"),
    ("act", "/action"),
    ("about", "/about"),
    ("caller", "/subject"),
    ("asked by", "/asker/account"),
    ("of department", "/asker/department"),
    ("reason", "/asker_reason"),
    ("asked at", "/created_at"),
    ("good until", "/expires_at"),
    ("decided by", "/approver/account"),
    ("their reason", "/approver_reason"),
    ("log entry", "/audit/index"),
];

/// Requests that wait for a second person, through a running server.
#[derive(Args)]
pub(super) struct Approvals {
    #[command(flatten)]
    asking: Asking,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List what waits for approval, newest first: with the token of one who may approve.
    List {
        /// List the requests that were decided or have expired too.
        #[arg(long)]
        all: bool,
    },
    /// List your own requests and what became of them, newest first.
    Mine,
    /// Show one request.
    Show {
        /// Its id.
        id: String,
    },
    /// Approve another person's request. --reason is needed: it is sealed, and shown to the asker and to those who may approve.
    Approve {
        /// Its id.
        id: String,
    },
    /// Refuse another person's request, with --reason if you like.
    Refuse {
        /// Its id.
        id: String,
    },
}

impl Approvals {
    pub(super) fn run(self) -> Done {
        let mut asking = self.asking;
        // Here it is why somebody decides, not why somebody asks.
        let reason = asking.reason.take();
        let server = asking.server()?;
        match self.verb {
            Verb::List { all: true } => server.show_all(&server.list(APPROVALS)?, COLUMNS),
            Verb::List { all: false } => server.show_all(&waiting(&server)?, COLUMNS),
            Verb::Mine => server.show_all(&server.list(&format!("{APPROVALS}/mine"))?, COLUMNS),
            Verb::Show { id } => server.show(&server.get(&format!("{APPROVALS}/{}", approval_id(&id)?))?, DETAILS),
            Verb::Approve { .. } if reason.is_none() => Err(Failure::usage(
                "an approval needs a reason
  give --reason TEXT",
            )),
            Verb::Approve { id } => decide(&server, &id, "approve", reason),
            Verb::Refuse { id } => decide(&server, &id, "refuse", reason),
        }
    }
}

/// Those that nobody has decided yet.
fn waiting(server: &Server) -> Result<Vec<Value>, Failure> {
    let mut waiting = Vec::new();
    server.each(APPROVALS, |request| {
        let state = request.get("state").and_then(Value::as_str).map(str::to_owned);
        if state.as_deref() == Some("asked") {
            waiting.push(request);
        }
        // All are good for equally long: what was asked before one that has expired does not wait either.
        state.as_deref() != Some("expired")
    })?;
    Ok(waiting)
}

fn decide(server: &Server, id: &str, decision: &str, reason: Option<String>) -> Done {
    let body = json!({"reason": reason});
    let call = Call::new(
        "POST",
        format!("{APPROVALS}/{}/{decision}", approval_id(id)?),
        Some(body),
    );
    server.change(&call, DETAILS)
}
