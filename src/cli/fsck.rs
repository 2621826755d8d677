//! `callervault fsck`.

use std::num::NonZeroU32;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::opener::OpenerFrom;
use super::server::{Asking, Call, Server};
use super::{Done, Failure, Where, runtime, say, unlocked};
use crate::vault::life::fsck::{self, Report};
use crate::vault::life::open::{OpenError, Running};

const CHECKS: &str = "/v1/checks";
const BETWEEN_QUESTIONS: Duration = Duration::from_secs(1);

/// Check every row, log entry and key. Exit 1 on any finding. Stop the server first, or check a running one with --online.
#[derive(Args)]
pub(super) struct Fsck {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    opener: OpenerFrom,
    /// Rebuild the index of the log first; no data is lost.
    #[arg(long)]
    rebuild_index: bool,
    /// The vault is a copy: write nothing.
    #[arg(long)]
    copy: bool,
    /// Check the vault of a running server, on copies of its stores that it makes. It takes the token of a system administrator. A check
    /// that goes on already is waited for.
    #[arg(long, conflicts_with_all = ["rebuild_index", "copy"])]
    online: bool,
    /// With --online: rows a second, at most [default: as many as can be].
    #[arg(long, value_name = "N", requires = "online")]
    rate: Option<NonZeroU32>,
    #[command(flatten)]
    asking: Asking,
}

impl Fsck {
    pub(super) fn run(self) -> Done {
        let as_json = self.asking.json;
        let report = if self.online {
            online(&self.asking.server()?, self.rate)?
        } else {
            self.at_rest()?
        };
        if as_json {
            say(serde_json::to_string(&report).map_err(Failure::unavailable)?)?;
        } else {
            tell(&report)?;
        }
        if report.findings.is_empty() {
            return Ok(());
        }
        Err(Failure::check_failed(
            "the vault was changed or damaged\n  keep this copy as evidence and restore from a backup",
        ))
    }

    fn at_rest(&self) -> Result<Report, Failure> {
        let opener = self.opener.read()?;
        let bar = ProgressBar::new_spinner();
        let progress = |count| bar.set_position(count);
        let places = self.place.places();
        let report = runtime()?.block_on(async {
            if self.rebuild_index {
                fsck::rebuild_index(&places, &opener, &progress).await?;
            }
            let report = fsck::check(&places, &opener, &progress).await?;
            // A log with faults is evidence, and nothing is added to it.
            if report.findings.is_empty() && !self.copy {
                unlocked(&places, &opener, ("fsck", "fsck"), Running::patient()).await?;
            }
            Ok::<_, OpenError>(report)
        })?;
        bar.finish_and_clear();
        Ok(report)
    }
}

/// Has a server check its vault, and waits for the end.
fn online(server: &Server, rate: Option<NonZeroU32>) -> Result<Report, Failure> {
    let mut line = server.ask(&Call::new("POST", CHECKS, Some(json!({"rate": rate}))))?;
    let template = "{bar:40} {human_pos} of {human_len} rows {per_sec} {msg}";
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(template).map_err(Failure::unavailable)?);
    loop {
        let number = |name: &str| line.get(name).and_then(Value::as_u64).unwrap_or_default();
        bar.set_length(number("total"));
        bar.set_position(number("seen"));
        bar.set_message(if number("total") == 0 { "copying the stores" } else { "" });
        if let Some(report) = line.get_mut("report") {
            bar.finish_and_clear();
            let report = serde_json::from_value(report.take());
            return report.map_err(|_| super::client::not_a_vault());
        }
        std::thread::sleep(BETWEEN_QUESTIONS);
        line = server.get(CHECKS)?;
    }
}

/// Says what was looked at and found.
pub(super) fn tell(report: &Report) -> Done {
    for finding in &report.findings {
        say(format!("{}: {}", finding.place, finding.what))?;
    }
    for key in &report.orphan_keys {
        say(format!(
            "key store: row {} of record_key belongs to a {} that does not exist; harmless",
            key.position, key.record
        ))?;
    }
    for back in &report.times_back {
        say(format!(
            "log entry {}: its time {} is before {}, the latest time of earlier entries: the clock was wrong or was set; not a finding",
            back.entry, back.time, back.after
        ))?;
    }
    if report.erased > 0 {
        say(format!(
            "{} records were erased after this copy of the data store was made: nothing of them can be opened; not a finding",
            report.erased
        ))?;
    }
    say(format!(
        "{} log entries, {} sealed fields, {} other rows, {} orphan keys: {} findings",
        report.entries,
        report.fields,
        report.rows,
        report.orphan_keys.len(),
        report.findings.len()
    ))?;
    Ok(())
}
