//! `callervault fsck`.

use clap::Args;

use super::opener::OpenerFrom;
use super::{Done, Failure, Where, runtime, say, unlocked};
use crate::vault::life::fsck;
use crate::vault::life::open::{OpenError, Running};

/// Check every row, log entry and key. Stop the server first. Exit 1 on any finding.
#[derive(Args)]
pub(super) struct Fsck {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    opener: OpenerFrom,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// Rebuild the index of the log first; no data is lost.
    #[arg(long)]
    rebuild_index: bool,
    /// The vault is a copy: write nothing.
    #[arg(long)]
    copy: bool,
}

impl Fsck {
    pub(super) fn run(self) -> Done {
        let opener = self.opener.read()?;
        let bar = indicatif::ProgressBar::new_spinner();
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
        if self.json {
            say(serde_json::to_string(&report).map_err(Failure::unavailable)?)?;
        } else {
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
        }
        if report.findings.is_empty() {
            return Ok(());
        }
        Err(Failure::check_failed(
            "the vault was changed or damaged\n  keep this copy as evidence and restore from a backup",
        ))
    }
}
