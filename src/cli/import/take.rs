//! Who takes records in: a vault that this process has open, one that another process serves, or nobody (`--dry-run`).

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use zeroize::Zeroizing;

use super::feed::Kept;
use super::halt::Halt;
use super::record::Record;
use super::row::Fault;
use crate::cli::Failure;
use crate::cli::client::{Answer, Client, not_a_vault};
use crate::cli::show::quiet;
use crate::clock::System;
use crate::model::fields::TEXT;
use crate::vault::calls::intake::{Intake, LeftOut, Matched, Taken, TakenAnswer, check};
use crate::vault::life::rules::Declared;
use crate::vault::{Error, Replay, Scope, Session, Values, Vault};

const OTHER_CONTENT: &str = "a record with this id and other content was taken before";
const NO_DEPARTMENT: &str = "the vault has no department with that code";
const NOT_SERVED: &str = "a call that was already sent or closed cannot be imported with --server";
/// How long after an answer that says that the log is busy, and how often.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSES: u32 = 60;
/// How often a record is tried again that others of the run got in the way of.
const TRIES: usize = 8;

/// Who takes records in.
pub(super) enum Taker {
    Vault {
        vault: Arc<Vault>,
        session: Box<Session>,
    },
    Server(Arc<Server>),
    /// Records are checked as far as nobody needs to be looked up.
    Dry(Arc<Declared>),
}

/// A vault that another process serves.
pub(super) struct Server {
    pub(super) client: Client,
    pub(super) token: Zeroizing<String>,
}

/// What became of a record.
pub(super) struct Outcome {
    pub(super) known: bool,
    pub(super) matched: Matched,
    pub(super) left_out: Vec<LeftOut>,
}

/// Why a record was not taken.
pub(super) enum Rejected {
    /// This record cannot be taken; the others can.
    Line(Vec<Fault>),
    /// Nothing can be taken.
    All(Failure),
    /// The run was told to halt before this record was taken.
    Halted,
}

impl Taker {
    /// Records that are under way at once.
    pub(super) const fn width(&self) -> usize {
        match self {
            // While the log commits half of them, the other half gets ready. The more share a commit, the more of their rows share a page
            // that is written.
            Self::Vault { .. } => 4_096,
            Self::Server(_) => 16,
            Self::Dry(_) => 2,
        }
    }

    /// A line that was rejected, sealed if it was kept whole.
    pub(super) fn sealed(&self, line: u64, kept: Kept) -> Result<Kept, Failure> {
        match (self, kept) {
            (Self::Vault { vault, .. }, Kept::Text(text)) => {
                let sealed = vault.seal_rejected(line, &text).map_err(Failure::unavailable)?;
                Ok(Kept::Sealed(sealed))
            }
            // Without keys nothing of it is kept.
            (_, Kept::Text(_)) => Ok(Kept::Nothing),
            (_, kept) => Ok(kept),
        }
    }

    pub(super) async fn take(&self, record: &Arc<Record>, halt: Halt) -> Result<Outcome, Rejected> {
        if halt.is_told() {
            return Err(Rejected::Halted);
        }
        let mut outcome = match self {
            Self::Vault { vault, session } => in_vault(vault, session, record).await,
            Self::Server(server) => by_server(server, record, halt).await,
            Self::Dry(declared) => checked(declared, record),
        }?;
        for left_out in &mut outcome.left_out {
            left_out.told(|words| words.en);
        }
        outcome.left_out.extend_from_slice(&record.left_out);
        Ok(outcome)
    }
}

fn checked(declared: &Declared, record: &Record) -> Result<Outcome, Rejected> {
    let left_out =
        check(&declared.fields, &declared.lists, &System, &record.intake).map_err(|error| rejected(record, error))?;
    Ok(Outcome {
        known: false,
        matched: Matched::New,
        left_out,
    })
}

async fn in_vault(vault: &Vault, session: &Session, record: &Record) -> Result<Outcome, Rejected> {
    let replay = Replay {
        // A record comes once, whichever agent imports it.
        scope: Scope::Vault,
        key: format!("import:{}", *record.id),
        request: record.request.clone(),
    };
    let mut taken = take_once(vault, session, record, &replay).await;
    for _ in 0..TRIES {
        if !matches!(taken, Err(Error::Stale)) {
            break;
        }
        taken = take_once(vault, session, record, &replay).await;
    }
    let taken = taken.map_err(|error| rejected(record, error))?;
    Ok(Outcome {
        known: taken.replayed,
        matched: taken.answer.caller.matched,
        left_out: taken.answer.left_out,
    })
}

async fn take_once(vault: &Vault, session: &Session, record: &Record, replay: &Replay) -> Result<Taken, Error> {
    match &record.history {
        None => vault.intake(session, &record.intake, Some(replay)).await,
        Some(history) => vault.bring_in(session, &record.intake, history, Some(replay)).await,
    }
}

fn rejected(record: &Record, error: Error) -> Rejected {
    let path = |field: &str| record.path(field).unwrap_or(field).to_owned();
    match error {
        Error::KeyReused => Rejected::Line(vec![Fault::at(path("id"), OTHER_CONTENT)]),
        Error::Invalid(bad) => {
            let fault =
                |bad: &crate::model::fields::Invalid| Fault::at(path(bad.field().as_str()), bad.rule().words.en);
            Rejected::Line(bad.iter().map(fault).collect())
        }
        Error::Bad(kind) => Rejected::Line(vec![problem(
            record,
            kind.name,
            format!("{}: {}", kind.title.en, kind.remedy.en),
        )]),
        Error::NotFound(_) => Rejected::Line(vec![Fault::at(path("department"), NO_DEPARTMENT)]),
        Error::Taken(_) => Rejected::Line(vec![Fault::whole(error.to_string())]),
        other => Rejected::All(other.into()),
    }
}

/// A problem of a known name is one of a target.
fn problem(record: &Record, name: &str, words: impl Into<Cow<'static, str>>) -> Fault {
    let target = match name {
        "text-missing" => TEXT,
        "bad-category" => "category",
        "bad-channel" => "channel",
        "bad-township" => "township",
        "department-closed" => "department",
        "received-ahead" | "received-before" => "received_at",
        "idempotency-key-reused" => "id",
        _ => return Fault::whole(words),
    };
    Fault::at(record.path(target).unwrap_or(target), words)
}

/// Sends it under a key of its own until there is an answer. It may be sent twice, and is taken once.
async fn by_server(server: &Arc<Server>, record: &Arc<Record>, mut halt: Halt) -> Result<Outcome, Rejected> {
    if record.history.is_some() {
        return Err(Rejected::Line(vec![Fault::whole(NOT_SERVED)]));
    }
    let mut pauses = 0;
    loop {
        let answer = sent(server, record).await.map_err(Rejected::All)?;
        let busy = answer.status == 503 && pauses < PAUSES;
        let wait = match (answer.status, answer.retry_after) {
            (429, Some(wait)) => wait,
            (429, None) => PAUSE,
            (503, wait) if busy => wait.unwrap_or(PAUSE),
            _ => return answered(&answer, record),
        };
        pauses += u32::from(busy);
        tokio::select! {
            () = halt.told() => return Err(Rejected::Halted),
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn sent(server: &Arc<Server>, record: &Arc<Record>) -> Result<Answer, Failure> {
    let (server, record) = (Arc::clone(server), Arc::clone(record));
    let send = move || {
        let digest = ring::digest::digest(&ring::digest::SHA256, record.id.as_bytes());
        let key = format!("import:{}", HEXLOWER.encode(digest.as_ref()));
        let body = body(&record.intake);
        let headers = [("idempotency-key", key.as_str())];
        server.client.post_text(&server.token, "/v1/intake", &headers, &body)
    };
    tokio::task::spawn_blocking(send).await.map_err(Failure::unavailable)?
}

fn answered(answer: &Answer, record: &Record) -> Result<Outcome, Rejected> {
    if answer.status == 201 {
        let taken: TakenAnswer = serde_json::from_str(&answer.text).map_err(|_| Rejected::All(not_a_vault()))?;
        return Ok(Outcome {
            known: answer.replayed,
            matched: taken.caller.matched,
            left_out: taken.left_out,
        });
    }
    let said = answer.json();
    let text = |name: &str| quiet(said.get(name).and_then(Value::as_str).unwrap_or_default());
    let words = format!("{}: {}", text("title"), text("detail"));
    if !matches!(answer.status, 400 | 409 | 413 | 422) {
        let words = format!("the server answers {}: {words}", answer.status);
        return Err(Rejected::All(Failure::of_status(answer.status, words)));
    }
    let kind = text("type");
    let name = kind.rsplit(':').next().unwrap_or_default();
    if name == "idempotency-key-reused" {
        return Err(Rejected::Line(vec![problem(record, name, OTHER_CONTENT)]));
    }
    let invalid = said.get("invalid").and_then(Value::as_array);
    let faults: Vec<Fault> = invalid
        .into_iter()
        .flatten()
        .map(|bad| invalid_field(record, bad))
        .collect();
    Err(Rejected::Line(if faults.is_empty() {
        vec![problem(record, name, words)]
    } else {
        faults
    }))
}

fn invalid_field(record: &Record, bad: &Value) -> Fault {
    let text = |name: &str| bad.get(name).and_then(Value::as_str).unwrap_or_default();
    Fault::at(
        record.path(text("field")).unwrap_or_else(|| text("field")),
        text("detail").to_owned(),
    )
}

/// The body of `POST /v1/intake`. Its buffer is as long as it can get, so that no copy is left behind.
fn body(intake: &Intake) -> Zeroizing<String> {
    let values = intake.caller.iter().chain(&intake.ticket.values);
    let length: usize = values
        .map(|(name, value)| name.len() + 6 * value.expose().len() + 8)
        .sum();
    let mut body = Zeroizing::new(Vec::with_capacity(length + 512));
    // Texts into memory: nothing of it can fail.
    let _ = serde_json::to_writer(&mut *body, &Body(intake));
    Zeroizing::new(String::from_utf8(std::mem::take(&mut *body)).unwrap_or_default())
}

/// An intake on its way to a server: here alone values that came in are written out.
struct Body<'i>(&'i Intake);

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Intake {
            call, caller, ticket, ..
        } = self.0;
        let received_at = call.received_at.to_string();
        let mut map = to.serialize_map(None)?;
        let call =
            std::collections::BTreeMap::from([("channel", call.channel.as_str()), ("received_at", &received_at)]);
        map.serialize_entry("call", &call)?;
        map.serialize_entry("caller", &Exposed(caller))?;
        map.serialize_entry("ticket", &Ticket(ticket))?;
        map.serialize_entry("leave_out_invalid", &true)?;
        map.end()
    }
}

struct Exposed<'v>(&'v Values);

impl Serialize for Exposed<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(name, value)| (name, value.expose())))
    }
}

struct Ticket<'t>(&'t crate::vault::calls::intake::NewTicket);

impl Serialize for Ticket<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("kind", &self.0.kind)?;
        map.serialize_entry("category", &self.0.category)?;
        map.serialize_entry("township", &self.0.township)?;
        map.serialize_entry("secrecy_requested", &self.0.secrecy_requested)?;
        for (name, value) in &self.0.values {
            map.serialize_entry(name, value.expose())?;
        }
        map.end()
    }
}
