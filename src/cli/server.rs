//! A running server, and what verbs that speak to one have in common: options, waiting its turn, pages, approvals.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::client::{Answer, Client, not_a_vault};
use super::passphrase::secret_file;
use super::show::{self, Column};
use super::{Done, Failure, say};
use crate::model::ids::ApprovalId;

/// What `--help` writes above the options that lead to a server.
const HEADING: &str = "Server";
/// Waits for one answer, each as long as the server asks for.
const MOST_WAITS: u32 = 20;
/// A wait where the server says none.
const A_WHILE: Duration = Duration::from_secs(5);
/// Items of one page.
const PAGE: u32 = 200;
/// Where an answer to a change, and to a read that the log has, names its entry.
const LOGGED: [&str; 2] = ["/audit/index", "/index"];
/// Where a page has its items.
const ITEMS: &str = "/items";

/// Which server, and whose token.
#[derive(Args)]
pub(super) struct Reach {
    /// The server: https://, or http:// on this machine alone.
    #[arg(long, global = true, help_heading = HEADING, value_name = "URL", default_value = "http://127.0.0.1:8440")]
    pub(super) url: String,
    /// CA certificates (PEM) to trust for the server, or the server's own certificate [default: public CAs].
    #[arg(long, global = true, help_heading = HEADING, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// File with your token, mode 0600.
    #[arg(long, global = true, help_heading = HEADING, value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
}

impl Reach {
    pub(super) fn client(&self) -> Result<Client, Failure> {
        Client::new(&self.url, self.ca.as_deref())
    }

    pub(super) fn token(&self) -> Result<Zeroizing<String>, Failure> {
        let file = self.token_file.as_deref();
        secret_file(file.ok_or_else(|| Failure::usage("no token\n  give --token-file, or set it in callervault.toml"))?)
    }
}

/// As [`Reach`], for verbs that may change something or show a list.
#[derive(Args)]
pub(super) struct Asking {
    #[command(flatten)]
    pub(super) reach: Reach,
    /// A second person's approval of this very command: the id that was answered when it was first sent.
    #[arg(long, global = true, help_heading = HEADING, value_name = "ID")]
    approval: Option<String>,
    /// Why. It is sealed, and shown to those who may approve.
    #[arg(long, global = true, help_heading = HEADING, value_name = "TEXT")]
    pub(super) reason: Option<String>,
    /// Print the server's JSON instead of text; of a list, one item on each line.
    #[arg(long, global = true, help_heading = HEADING)]
    pub(super) json: bool,
}

impl Asking {
    pub(super) fn server(self) -> Result<Server, Failure> {
        Ok(Server {
            client: self.reach.client()?,
            token: self.reach.token()?,
            approval: self.approval.as_deref().map(approval_id).transpose()?,
            reason: self.reason,
            json: self.json,
        })
    }
}

/// The id of a request for approval. Nothing else goes into an address or a header in its place, and it is not repeated: it may
/// be a secret.
pub(super) fn approval_id(given: &str) -> Result<ApprovalId, Failure> {
    given.parse().map_err(|_| {
        Failure::usage(
            "this is not the id of a request for approval, which has 32 hexadecimal digits\n  `callervault approvals list` and \
             `callervault approvals mine` show the ids",
        )
    })
}

/// A server, as the owner of a token sees it.
pub(super) struct Server {
    client: Client,
    token: Zeroizing<String>,
    approval: Option<ApprovalId>,
    reason: Option<String>,
    json: bool,
}

/// A request that changes something.
pub(super) struct Call {
    method: &'static str,
    path: String,
    version: Option<u64>,
    body: Option<Value>,
}

impl Call {
    pub(super) fn new(method: &'static str, path: impl Into<String>, body: Option<Value>) -> Self {
        Self {
            method,
            path: path.into(),
            version: None,
            body,
        }
    }

    /// Of this version of what it changes.
    pub(super) fn at(self, version: u64) -> Self {
        Self {
            version: Some(version),
            ..self
        }
    }
}

impl Server {
    /// Whether answers are to be printed as JSON.
    pub(super) const fn is_json(&self) -> bool {
        self.json
    }

    /// Sends a request, and waits as long as the server asks for.
    pub(super) fn send(&self, call: &Call, approval: Option<&str>) -> Result<Answer, Failure> {
        let encoded = |reason: &str| utf8_percent_encode(reason, NON_ALPHANUMERIC).to_string();
        let headers = [
            ("if-match", call.version.map(|version| format!("\"{version}\""))),
            ("approval", approval.map(str::to_owned)),
            ("approval-reason", self.reason.as_deref().map(encoded)),
        ];
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .filter_map(|(name, value)| Some((*name, value.as_deref()?)))
            .collect();
        self.wait_for(call.method, &call.path, &headers, call.body.as_ref())
    }

    fn wait_for(
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

    /// Sends a request, with the approval that was given on the command line, and shows what became of it.
    pub(super) fn change(&self, call: &Call, columns: &[Column]) -> Done {
        self.changed(call, columns).map(drop)
    }

    /// As [`Self::change`], for a verb that does something with the answer.
    pub(super) fn changed(&self, call: &Call, columns: &[Column]) -> Result<Value, Failure> {
        let approval = self.approval.map(|id| id.to_string());
        let answer = self.send(call, approval.as_deref())?;
        let changed = answer.good(&LOGGED);
        // Also what says that it waits.
        let is_of_vault = changed.as_ref().map_or_else(Failure::is_waiting, |_| true);
        if self.json && is_of_vault {
            say(answer.text.trim_end())?;
        }
        let changed = changed?;
        self.details(&changed, columns)?;
        Ok(changed)
    }

    /// Sends a request, with the approval that was given on the command line. What it leads to is shown by the verb; that it waits is said
    /// as for any other.
    pub(super) fn ask(&self, call: &Call) -> Result<Value, Failure> {
        let approval = self.approval.map(|id| id.to_string());
        let answer = self.send(call, approval.as_deref())?;
        let asked = answer.good(&LOGGED);
        if self.json && asked.as_ref().is_err_and(Failure::is_waiting) {
            say(answer.text.trim_end())?;
        }
        asked
    }

    /// What stands at an address, with this member.
    pub(super) fn read(&self, path: &str, has: &str) -> Result<Value, Failure> {
        self.wait_for("GET", path, &[], None)?.good(&[has])
    }

    /// Bytes at an address.
    pub(super) fn bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        self.client.good_bytes(&self.token, path)
    }

    /// What stands at an address.
    pub(super) fn get(&self, path: &str) -> Result<Value, Failure> {
        self.wait_for("GET", path, &[], None)?.good(&LOGGED)
    }

    /// The page for people at an address, in the language that is asked for.
    pub(super) fn page(&self, path: &str) -> Result<String, Failure> {
        let answer = self.wait_for("GET", path, &[("accept", "text/html")], None)?;
        if answer.status == 200 && answer.text.starts_with("<!DOCTYPE html>") {
            return Ok(answer.text);
        }
        answer.good(&LOGGED)?;
        Err(not_a_vault())
    }

    /// Shows one thing, unless it has been printed as JSON.
    fn details(&self, item: &Value, columns: &[Column]) -> Done {
        if !self.json {
            say(show::details(columns, item))?;
        }
        Ok(())
    }

    /// Shows one thing that was read.
    pub(super) fn show(&self, item: &Value, columns: &[Column]) -> Done {
        if self.json {
            say(item)?;
        }
        self.details(item, columns)
    }

    /// Shows a list.
    pub(super) fn show_all(&self, items: &[Value], columns: &[Column]) -> Done {
        if self.json {
            return Ok(items.iter().try_for_each(say)?);
        }
        if !items.is_empty() {
            say(show::table(columns, items))?;
        }
        Ok(())
    }

    /// Takes the items of a list that is read at an address, page by page, for as long as `each` says so.
    pub(super) fn each(&self, path: &str, each: impl FnMut(Value) -> bool) -> Done {
        let page = |after: Option<&str>| {
            let after = after.map_or_else(String::new, |after| format!("&after={after}"));
            let page = format!("{path}?limit={PAGE}{after}");
            self.wait_for("GET", &page, &[], None)?.good(&[ITEMS])
        };
        pages(page, each)
    }

    /// All items of a list that is read at an address.
    pub(super) fn list(&self, path: &str) -> Result<Vec<Value>, Failure> {
        let mut items = Vec::new();
        self.each(path, |item| {
            items.push(item);
            true
        })?;
        Ok(items)
    }

    /// All items of a list that is asked for with a body.
    pub(super) fn find(&self, path: &str, find: &Value) -> Result<Vec<Value>, Failure> {
        let page = |after: Option<&str>| {
            let mut find = find.clone();
            if let Some(find) = find.as_object_mut() {
                find.insert("limit".to_owned(), PAGE.into());
                find.insert("after".to_owned(), json!(after));
            }
            self.post(path, &find)
        };
        let mut items = Vec::new();
        pages(page, |item| {
            items.push(item);
            true
        })?;
        Ok(items)
    }

    /// A page of what is asked for with a body.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.wait_for("POST", path, &[], Some(body))?.good(&[ITEMS])
    }
}

/// Takes the items of every page, for as long as `each` says so.
fn pages(page: impl Fn(Option<&str>) -> Result<Value, Failure>, mut each: impl FnMut(Value) -> bool) -> Done {
    let mut after: Option<String> = None;
    loop {
        let mut page = page(after.as_deref())?;
        let items = page
            .pointer_mut(ITEMS)
            .and_then(Value::as_array_mut)
            .map(std::mem::take);
        for item in items.ok_or_else(not_a_vault)? {
            if !each(item) {
                return Ok(());
            }
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) => after = Some(next.to_owned()),
            None => return Ok(()),
        }
    }
}
