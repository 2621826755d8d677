//! `callervault people import`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::list::{Account, read};
use crate::cli::client::{Answer, Client};
use crate::cli::passphrase::secret_file;
use crate::cli::{Done, Failure, say};
use crate::model::principals::Role;

const PEOPLE: &str = "/v1/admin/principals";
/// Waits for one answer, each as long as the server asks for.
const MOST_WAITS: u32 = 20;
/// A wait where the server says none.
const A_WHILE: Duration = Duration::from_secs(5);

/// Make the accounts in a list.
#[derive(Args)]
pub(super) struct Import {
    /// The list.
    file: PathBuf,
    /// Check the list against the server; change nothing.
    #[arg(long)]
    dry_run: bool,
    /// The server: https://, or http:// on this machine only.
    #[arg(long, default_value = "http://127.0.0.1:8440")]
    url: String,
    /// CA certificates (PEM) to trust for the server [default: public CAs].
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// File with a security administrator's token, mode 0600.
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// Reason for each request for a second person's approval. It is sealed and shown to those who may approve.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// The server, as the administrator sees it.
struct Server {
    client: Client,
    token: Zeroizing<String>,
}

/// A request for approval that the administrator has made: its id, and where it stands.
type Asked = (String, String);

/// What became of the accounts.
#[derive(Default)]
struct Tally {
    made: u32,
    there: u32,
    waiting: u32,
    failed: u32,
}

impl Import {
    pub(super) fn run(self) -> Done {
        let accounts = read(&self.file)?;
        let server = Server {
            client: Client::new(&self.url, self.ca.as_deref())?,
            token: secret_file(&self.token_file)?,
        };
        server.has_departments(&accounts)?;
        let asked = server.asked()?;
        let mut tally = Tally::default();
        for account in &accounts {
            let told = match (server.account(&account.name)?, self.dry_run) {
                (Some(there), _) => tally.there(account, &there),
                (None, true) => tally.would_be(account),
                (None, false) => self.make(&server, account, asked.get(&account.name), &mut tally)?,
            };
            say(format!("line {}: {}: {told}", account.line, account.name))?;
        }
        tally.told(self.dry_run)
    }

    /// Makes an account, or asks for it, or says why not.
    fn make(
        &self,
        server: &Server,
        account: &Account,
        asked: Option<&Asked>,
        tally: &mut Tally,
    ) -> Result<String, Failure> {
        let approval = match asked {
            Some((id, state)) if state == "approved" => Some(id.as_str()),
            Some((id, state)) if state == "asked" => return Ok(tally.waits(id)),
            _ => None,
        };
        let reason = self
            .reason
            .as_ref()
            .map(|reason| utf8_percent_encode(reason, NON_ALPHANUMERIC).to_string());
        let headers = [("approval", approval), ("approval-reason", reason.as_deref())];
        let headers: Vec<(&str, &str)> = headers
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
        let answer = server.send("POST", PEOPLE, &headers, Some(&account.body()))?;
        let body = answer.json();
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or("-").to_owned();
        Ok(match answer.status {
            201 => tally.made(&text("/id")),
            202 => tally.waits(&text("/approval/id")),
            401 => return Err(Failure::usage("the server does not know this token")),
            500.. => return Err(Failure::unavailable(text("/detail"))),
            _ => tally.failed(&text("/detail")),
        })
    }
}

impl Server {
    /// Sends a request, and waits as long as the server asks for.
    fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let mut answer = self.client.call(&self.token, method, path, headers, body)?;
        for _ in 0..MOST_WAITS {
            if answer.status != 429 {
                break;
            }
            self.client.wait_turn(answer.retry_after.unwrap_or(A_WHILE));
            answer = self.client.call(&self.token, method, path, headers, body)?;
        }
        Ok(answer)
    }

    /// The items of every page of a list.
    fn list(&self, path: &str) -> Result<Vec<Value>, Failure> {
        let mut items = Vec::new();
        let mut after = String::new();
        loop {
            let page = self.send("GET", &format!("{path}{after}"), &[], None)?.good()?;
            items.extend(
                page.get("items")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .cloned(),
            );
            match page.get("next").and_then(Value::as_str) {
                Some(next) => after = format!("?after={next}"),
                None => return Ok(items),
            }
        }
    }

    /// Each account's department is there and open.
    fn has_departments(&self, accounts: &[Account]) -> Done {
        let departments = self.list("/v1/admin/departments")?;
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

    /// The account of this name, if there is one.
    fn account(&self, name: &str) -> Result<Option<Value>, Failure> {
        let find = json!({"name": name, "limit": 1});
        let found = self.send("POST", &format!("{PEOPLE}/find"), &[], Some(&find))?.good()?;
        // The first name that begins so is this one, if any is.
        let first = found.pointer("/items/0").cloned();
        Ok(first.filter(|one| one.get("name").and_then(Value::as_str) == Some(name)))
    }

    /// The administrator's own requests to make accounts: by account name the newest.
    fn asked(&self) -> Result<BTreeMap<String, Asked>, Failure> {
        let mut asked = BTreeMap::new();
        for one in self.list("/v1/approvals/mine")? {
            let text = |pointer: &str| one.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
            // One about an account that is there names its id.
            if let (Some(name), Some(id), Some(state), None) = (
                text("/about/account"),
                text("/id"),
                text("/state"),
                text("/about/principal"),
            ) {
                asked.entry(name).or_insert((id, state));
            }
        }
        Ok(asked)
    }
}

impl Tally {
    fn there(&mut self, account: &Account, there: &Value) -> String {
        self.there += 1;
        let wanted = account.body();
        let same = ["department", "roles", "kind"]
            .iter()
            .all(|name| wanted.get(name) == there.get(name));
        let told = if same {
            "already exists"
        } else {
            "already exists with another department, kind or roles: NOT changed"
        };
        told.to_owned()
    }

    fn made(&mut self, id: &str) -> String {
        self.made += 1;
        format!("made, {id}")
    }

    fn waits(&mut self, approval: &str) -> String {
        self.waiting += 1;
        format!("waits for approval {approval}")
    }

    fn failed(&mut self, why: &str) -> String {
        self.failed += 1;
        format!("NOT made: {why}")
    }

    /// By the shipped policy; a city's own may ask for two persons elsewhere.
    fn would_be(&mut self, account: &Account) -> String {
        if account.roles.iter().any(Role::stands_alone) {
            self.waiting += 1;
            return "would wait for a second person".to_owned();
        }
        self.made += 1;
        "would be made".to_owned()
    }

    fn told(&self, dry_run: bool) -> Done {
        let Self {
            made,
            there,
            waiting,
            failed,
        } = self;
        let would = if dry_run {
            "nothing was sent; the result would be: "
        } else {
            ""
        };
        say(format!(
            "{would}{made} made, {there} already exist, {waiting} waiting for approval, {failed} failed"
        ))?;
        if *waiting > 0 && !dry_run {
            say("import the list again after the approvals")?;
        }
        if *failed > 0 {
            return Err(Failure::check_failed(format!("{failed} accounts were not made")));
        }
        Ok(())
    }
}
