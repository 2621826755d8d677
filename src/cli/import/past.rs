//! What became of a record's call where it comes from: sent to a department, closed.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::mapping::{Mapping, Purpose};
use super::row::Fault;
use crate::model::reference::DepartmentCode;
use crate::vault::calls::intake::History;

const STATE: &str = "must be open or closed: map other words in [labels.state]";
const DEPARTMENT: &str = "must be a department code: map other words in [labels.department]";

/// What a row states of it, while it is gathered.
#[derive(Default)]
pub(super) struct Past {
    closed: Option<bool>,
    department: Option<DepartmentCode>,
    sent_at: Option<Timestamp>,
    closed_at: Option<Timestamp>,
}

impl Past {
    pub(super) fn put_word(&mut self, purpose: Purpose, word: &str) -> Result<(), &'static str> {
        match (purpose, word) {
            (Purpose::State, "open") => self.closed = Some(false),
            (Purpose::State, "closed") => self.closed = Some(true),
            (Purpose::State, _) => return Err(STATE),
            (Purpose::Department, word) => self.department = Some(word.parse().map_err(|_| DEPARTMENT)?),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn put_time(&mut self, purpose: Purpose, at: Timestamp) {
        match purpose {
            Purpose::SentAt => self.sent_at = Some(at),
            Purpose::ClosedAt => self.closed_at = Some(at),
            _ => {}
        }
    }

    /// The history, if anything became of it. A call whose sending has no date was sent when it came.
    pub(super) fn finish(
        &self,
        mapping: &Mapping,
        received_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<History>, Fault> {
        let at = |target: &str, rule: &'static str| Err(Fault::at(mapping.path(target), rule));
        match (self.closed, self.closed_at) {
            (Some(true), None) => {
                return at(
                    "closed_at",
                    "missing: a closed call needs the time at which it was closed",
                );
            }
            (Some(false), Some(_)) => {
                return at(
                    "closed_at",
                    "an open call must not have the time at which it was closed",
                );
            }
            _ => {}
        }
        let sent = match (self.department, self.sent_at) {
            (None, Some(_)) => return at("department", "missing: a call that was sent needs a department"),
            (department, sent_at) => department.map(|department| (department, sent_at.unwrap_or(received_at))),
        };
        if sent.is_none() && self.closed_at.is_none() {
            return Ok(None);
        }
        let last = if self.closed_at.is_some() {
            "closed_at"
        } else {
            "sent_at"
        };
        let history = History::new(received_at, sent, self.closed_at, now);
        history.map(Some).map_err(|rule| Fault::at(mapping.path(last), rule))
    }

    /// What it states, by target.
    pub(super) fn stated(&self, all: &mut BTreeMap<&'static str, String>) {
        let department = self.department.map(|department| department.to_string());
        let state = self
            .closed
            .map(|closed| if closed { "closed" } else { "open" }.to_owned());
        let [sent_at, closed_at] = [self.sent_at, self.closed_at].map(|at| at.map(|at| at.to_string()));
        let said = [
            ("department", department),
            ("state", state),
            ("sent_at", sent_at),
            ("closed_at", closed_at),
        ];
        all.extend(said.into_iter().filter_map(|(target, said)| Some((target, said?))));
    }
}
