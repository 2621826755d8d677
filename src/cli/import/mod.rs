//! `callervault import`: calls from JSON lines, through the same intake as everybody's.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::passphrase::{PassphraseFrom, secret_file};
use super::{Done, Failure, Where, runtime, say, unlocked};
use crate::atomic_file;
use crate::model::canonical::canonical;
use crate::model::submitted::Submitted;
use crate::model::tickets::{Channel, MatterKind};
use crate::vault::calls::intake::{Call, Intake, LeftOut, NewTicket};
use crate::vault::life::open::Running;
use crate::vault::{Error, Replay, Scope, Session, Values, Vault};

/// Take in calls from JSON lines. A record that came before (by its `id`) is not taken again.
#[derive(Args)]
pub(super) struct Import {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    passphrase: PassphraseFrom,
    /// The API token of an agent of the hotline centre, in a file of mode 0600: the import is logged as theirs.
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// Files of JSON lines.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// One line. What the vault has no place for is passed over.
#[derive(Deserialize)]
struct Record {
    id: String,
    kind: MatterKind,
    category: String,
    channel: Channel,
    district: District,
    received_at: Timestamp,
    caller: Caller,
    #[serde(default)]
    secrecy_requested: bool,
    respondent: Option<Respondent>,
    incident_place: Option<Submitted>,
    narrative: Submitted,
}

#[derive(Deserialize)]
struct District {
    code: String,
}

#[derive(Deserialize)]
struct Caller {
    name: Option<Submitted>,
    salutation: Option<Submitted>,
    mobile: Option<Submitted>,
    callback_mobile: Option<Submitted>,
    resident_id: Option<Submitted>,
    address: Option<Submitted>,
    email: Option<Submitted>,
    plate: Option<Submitted>,
    wechat: Option<Submitted>,
    workplace: Option<Submitted>,
    id_document: Option<Submitted>,
}

#[derive(Deserialize)]
struct Respondent {
    name: Option<Submitted>,
    org: Option<Submitted>,
}

fn values<const N: usize>(fields: [(&str, Option<Submitted>); N]) -> Values {
    fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

impl From<Record> for Intake {
    fn from(record: Record) -> Self {
        let (respondent_name, respondent_place) = record.respondent.map_or((None, None), |one| (one.name, one.org));
        Self {
            call: Call {
                channel: record.channel,
                received_at: record.received_at,
            },
            caller: values([
                ("name", record.caller.name),
                ("salutation", record.caller.salutation),
                ("caller_number", record.caller.mobile),
                ("callback_number", record.caller.callback_mobile),
                ("id_no", record.caller.resident_id),
                ("home_address", record.caller.address),
                ("email", record.caller.email),
                ("plate", record.caller.plate),
                ("wechat", record.caller.wechat),
                ("workplace", record.caller.workplace),
                ("id_document", record.caller.id_document),
            ]),
            ticket: NewTicket {
                kind: record.kind,
                category: record.category,
                township: record.district.code,
                secrecy_requested: record.secrecy_requested,
                values: values([
                    ("text", Some(record.narrative)),
                    ("incident_place", record.incident_place),
                    ("respondent_name", respondent_name),
                    ("respondent_place", respondent_place),
                ]),
            },
            // One bad number is no reason to lose a call.
            leave_out_invalid: true,
        }
    }
}

/// What became of the lines of one source.
#[derive(Default)]
pub(super) struct Count {
    pub(super) taken: u64,
    pub(super) certain: u64,
    pub(super) tentative: u64,
    pub(super) known: u64,
    /// Line number and reason, never a value.
    pub(super) rejected: BTreeMap<u64, String>,
    /// Line number, and what its call was taken without.
    pub(super) left_out: BTreeMap<u64, Vec<LeftOut>>,
    /// Why it ended before the last line, if it did.
    pub(super) stopped: Option<Failure>,
}

impl Count {
    fn lines(&self) -> u64 {
        self.taken + self.known + self.rejected.len() as u64
    }

    fn stopped(mut self, line: u64, why: &dyn std::error::Error) -> Self {
        let words = format!("line {line}: {why}\n  run it again: what came in stays in");
        self.stopped = Some(Failure::unavailable(words));
        self
    }
}

impl Import {
    pub(super) fn run(self) -> Done {
        let passphrase = self.passphrase.read()?;
        let token = secret_file(&self.token_file)?;
        runtime()?.block_on(async {
            let vault = unlocked(
                &self.place.places(),
                &passphrase,
                ("import", "import"),
                Running {
                    limited: false,
                    ..Running::patient()
                },
            )
            .await?;
            let session = vault
                .authenticate(&token, vault.new_request().map_err(Failure::unavailable)?)
                .await
                .map_err(Failure::unavailable)?;
            let mut rejected = 0;
            for path in &self.files {
                let count = file(&vault, &session, path).await?;
                report(path, &count)?;
                rejected += count.rejected.len();
                count.stopped.map_or(Ok(()), Err)?;
            }
            if rejected == 0 {
                Ok(())
            } else {
                Err(Failure::check_failed(format!("{rejected} lines were rejected")))
            }
        })
    }
}

async fn file(vault: &Vault, session: &Session, path: &Path) -> Result<Count, Failure> {
    let fault = |error| Failure::unavailable(format!("{}: {error}", path.display()));
    let source = File::open(path).map_err(fault)?;
    let bar = ProgressBar::new(source.metadata().map_err(fault)?.len());
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta} left") {
        bar.set_style(style);
    }
    let count = lines(vault, session, BufReader::new(bar.wrap_read(source))).await;
    bar.finish_and_clear();
    Ok(count)
}

/// Takes every line in, up to the first after which nothing can be taken.
pub(super) async fn lines(vault: &Vault, session: &Session, source: impl BufRead) -> Count {
    let mut count = Count::default();
    for (number, line) in (1..).zip(source.split(b'\n')) {
        let line = match line {
            Ok(line) => zeroize::Zeroizing::new(line),
            Err(error) => return count.stopped(number, &error),
        };
        if line.trim_ascii().is_empty() {
            continue;
        }
        match one(vault, session, &line).await {
            Ok(taken) if taken.replayed => count.known += 1,
            Ok(taken) => {
                count.taken += 1;
                if !taken.answer.left_out.is_empty() {
                    count.left_out.insert(number, taken.answer.left_out);
                }
                match taken.answer.caller.matched {
                    crate::vault::calls::intake::Matched::New => {}
                    crate::vault::calls::intake::Matched::Certain => count.certain += 1,
                    crate::vault::calls::intake::Matched::Tentative => count.tentative += 1,
                }
            }
            Err(Rejected::Line(reason)) => {
                count.rejected.insert(number, reason);
            }
            Err(Rejected::Vault(error)) => return count.stopped(number, &error),
        }
    }
    count
}

enum Rejected {
    /// This line cannot be taken; the others can.
    Line(String),
    /// Nothing can be taken.
    Vault(Error),
}

async fn one(vault: &Vault, session: &Session, line: &[u8]) -> Result<crate::vault::calls::intake::Taken, Rejected> {
    let record: Record = serde_json::from_slice(line).map_err(|error| {
        // The message may quote a value; the place does not.
        Rejected::Line(format!("not a call record, at column {}", error.column()))
    })?;
    let replay = Replay {
        // A record comes once, whichever agent imports it.
        scope: Scope::Vault,
        key: format!("import:{}", record.id),
        request: canonical(line).map_err(|error| Rejected::Line(format!("not a call record: {error}")))?,
    };
    vault
        .intake(session, &record.into(), Some(&replay))
        .await
        .map_err(|error| match error {
            Error::KeyReused => Rejected::Line("a record with this id came before with other content".to_owned()),
            Error::Invalid(_) | Error::Bad(..) | Error::Taken(_) => Rejected::Line(error.to_string()),
            other => Rejected::Vault(other),
        })
}

fn report(path: &Path, count: &Count) -> Done {
    say(format!(
        "{}: {} lines = {} taken ({} repeat callers certain, {} tentative) + {} known already + {} rejected",
        path.display(),
        count.lines(),
        count.taken,
        count.certain,
        count.tentative,
        count.known,
        count.rejected.len()
    ))?;
    if !count.left_out.is_empty() {
        let lines = count.left_out.iter();
        let file = list(
            path,
            "left-out",
            lines.map(|(line, left_out)| json!({"line": line, "left_out": left_out})),
        )?;
        let (calls, file) = (count.left_out.len(), file.display());
        say(format!(
            "  {calls} were taken without a value that breaks its field's rule; which ones: {file}"
        ))?;
    }
    if !count.rejected.is_empty() {
        let lines = count.rejected.iter();
        let file = list(
            path,
            "rejected",
            lines.map(|(line, reason)| json!({"line": line, "reason": reason})),
        )?;
        say(format!("  the rejected lines' numbers and reasons: {}", file.display()))?;
    }
    Ok(())
}

/// Writes a list of lines beside the file that they are of.
fn list(of: &Path, what: &str, lines: impl Iterator<Item = serde_json::Value>) -> Result<PathBuf, Failure> {
    let mut name = of.as_os_str().to_owned();
    name.push(format!(".{what}.jsonl"));
    let file = PathBuf::from(name);
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    atomic_file::replace(&file, text.as_bytes())
        .map_err(|error| Failure::unavailable(format!("{}: {error}", file.display())))?;
    Ok(file)
}
