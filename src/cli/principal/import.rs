//! `callervault principal import`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::list::{Account, read};
use crate::cli::client::not_a_vault;
use crate::cli::named::{DEPARTMENTS, PRINCIPALS};
use crate::cli::server::{Call, Server};
use crate::cli::show::quiet;
use crate::cli::{Done, Failure, say};
use crate::model::principals::Role;

/// Make the accounts in a list.
#[derive(Args)]
pub(super) struct Import {
    /// The list.
    file: PathBuf,
    /// Check the list against the server; change nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Requests for approval that the administrator has made, newest first, as the server lists them.
struct Asked(Vec<Value>);

/// What became of an account, with its id, that of a request for approval, or why.
enum Became {
    Made(String),
    There { as_listed: bool },
    Waits(String),
    Failed(String),
    WouldBe,
    WouldWait,
}

impl Became {
    const fn word(&self) -> &'static str {
        match self {
            Self::Made(_) => "made",
            Self::There { as_listed: true } => "exists",
            Self::There { as_listed: false } => "differs",
            Self::Waits(_) => "waits",
            Self::Failed(_) => "failed",
            Self::WouldBe => "would-be-made",
            Self::WouldWait => "would-wait",
        }
    }

    fn told(&self) -> String {
        match self {
            Self::Made(id) => format!("made, {id}"),
            Self::There { as_listed: true } => "already exists".to_owned(),
            Self::There { as_listed: false } => {
                "already exists with another department, kind or roles: NOT changed".to_owned()
            }
            Self::Waits(approval) => format!("waits for approval {approval}"),
            Self::Failed(why) => format!("NOT made: {why}"),
            Self::WouldBe => "would be made".to_owned(),
            Self::WouldWait => "would wait for a second person".to_owned(),
        }
    }

    fn as_json(&self, account: &Account) -> Value {
        let (id, approval, why) = match self {
            Self::Made(id) => (Some(id), None, None),
            Self::Waits(approval) => (None, Some(approval), None),
            Self::Failed(why) => (None, None, Some(why)),
            _ => (None, None, None),
        };
        json!({
            "line": account.line, "account": account.name, "became": self.word(), "id": id, "approval": approval, "why": why,
        })
    }
}

/// What became of all accounts.
#[derive(Default, serde::Serialize)]
struct Tally {
    made: u32,
    existing: u32,
    waiting: u32,
    failed: u32,
    dry_run: bool,
}

impl Import {
    pub(super) fn run(self, server: &Server) -> Done {
        let accounts = read(&self.file)?;
        has_departments(server, &accounts)?;
        let asked = Asked(server.list("/v1/approvals/mine")?);
        let mut tally = Tally {
            dry_run: self.dry_run,
            ..Tally::default()
        };
        for account in &accounts {
            let became = match (server.account_named(&account.name)?, self.dry_run) {
                (Some(there), _) => is_there(account, &there),
                (None, true) => would_become(account),
                (None, false) => make(server, account, asked.of(account))?,
            };
            tally.count(&became);
            if server.is_json() {
                say(became.as_json(account))?;
            } else {
                say(format!("line {}: {}: {}", account.line, account.name, became.told()))?;
            }
        }
        tally.told(server)
    }
}

/// Makes an account, or asks for it, or says why not.
fn make(server: &Server, account: &Account, asked: Option<(String, &str)>) -> Result<Became, Failure> {
    let approval = match asked {
        Some((id, "approved")) => Some(id),
        Some((id, "asked")) => return Ok(Became::Waits(id)),
        _ => None,
    };
    let answer = server.send(
        &Call::new("POST", PRINCIPALS, Some(account.body())),
        approval.as_deref(),
    )?;
    let body = answer.json();
    let text = |pointer: &str| quiet(body.pointer(pointer).and_then(Value::as_str).unwrap_or("-"));
    match answer.status {
        201 => answer.good(&["/id"]).map(|_| Became::Made(text("/id"))),
        202 => match answer.good(&[]) {
            Err(failure) if failure.is_waiting() => Ok(Became::Waits(text("/approval/id"))),
            other => Err(other.err().unwrap_or_else(not_a_vault)),
        },
        // It is this line that is refused; the next may fare better.
        400 | 402..=428 | 430..=499 if body.get("detail").is_some() => Ok(Became::Failed(text("/detail"))),
        _ => Err(answer.good(&[]).err().unwrap_or_else(not_a_vault)),
    }
}

/// Each account's department is there and open.
fn has_departments(server: &Server, accounts: &[Account]) -> Done {
    let departments = server.list(DEPARTMENTS)?;
    let open = departments
        .iter()
        .filter(|one| one.get("state").and_then(Value::as_str) == Some("open"));
    let open: BTreeSet<&str> = open.filter_map(|one| one.get("code")?.as_str()).collect();
    let away = accounts.iter().filter(|one| !open.contains(one.department.as_str()));
    let away: Vec<String> = away
        .map(|one| format!("line {}: there is no open department {}", one.line, one.department))
        .collect();
    if away.is_empty() {
        return Ok(());
    }
    Err(Failure::check_failed(format!(
        "nothing was sent\n  {}",
        away.join("\n  ")
    )))
}

impl Asked {
    /// The newest request to make just this account that waits or is approved, and which of them. An approval of anything else is
    /// not for this line.
    fn of(&self, account: &Account) -> Option<(String, &str)> {
        let about = json!(account.about());
        let ours = self.0.iter().filter(|one| one.get("about") == Some(&about));
        let mut open = ours.filter_map(|one| Some((quiet(one.get("id")?.as_str()?), one.get("state")?.as_str()?)));
        open.find(|(_, state)| matches!(*state, "asked" | "approved"))
    }
}

fn is_there(account: &Account, there: &Value) -> Became {
    let wanted = account.body();
    let same = ["department", "roles", "kind"]
        .iter()
        .all(|name| wanted.get(name) == there.get(name));
    Became::There { as_listed: same }
}

/// By the shipped policy; a city's own may ask for two persons elsewhere.
fn would_become(account: &Account) -> Became {
    if account.roles.iter().any(Role::stands_alone) {
        Became::WouldWait
    } else {
        Became::WouldBe
    }
}

impl Tally {
    const fn count(&mut self, became: &Became) {
        match became {
            Became::Made(_) | Became::WouldBe => self.made += 1,
            Became::There { .. } => self.existing += 1,
            Became::Waits(_) | Became::WouldWait => self.waiting += 1,
            Became::Failed(_) => self.failed += 1,
        }
    }

    fn told(&self, server: &Server) -> Done {
        let Self {
            made,
            existing,
            waiting,
            failed,
            dry_run,
        } = self;
        let would = if *dry_run {
            "nothing was sent; the result would be: "
        } else {
            ""
        };
        if server.is_json() {
            say(json!(self))?;
        } else {
            say(format!(
                "{would}{made} made, {existing} already exist, {waiting} waiting for approval, {failed} failed"
            ))?;
        }
        if *failed > 0 {
            return Err(Failure::check_failed(format!("{failed} accounts were not made")));
        }
        if *waiting > 0 && !dry_run {
            return Err(Failure::waits(format!(
                "{waiting} accounts wait for approval\n  \
                 another person looks (`callervault approvals list`) and approves; then import the list again"
            )));
        }
        Ok(())
    }
}
