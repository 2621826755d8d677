//! What became of a call before it came to this vault: it was sent to a department, it was closed. Stated by the system that it
//! comes from, and logged as brought in, not as done here.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::log::leaf::milliseconds;
use crate::model::reference::DepartmentCode;
use crate::model::tickets::TicketState;
use crate::store::Guard;
use crate::vault::{Error, Vault};

/// What became of a call before it came here: in the order of its dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    received_at: Timestamp,
    sent: Option<(DepartmentCode, Timestamp)>,
    closed_at: Option<Timestamp>,
}

/// One step that a ticket has behind it.
pub(super) struct Past {
    pub(super) state: TicketState,
    pub(super) holder: DepartmentCode,
    pub(super) at: Timestamp,
}

impl Past {
    /// A centre took the call.
    pub(super) const fn taken(origin: DepartmentCode, at: Timestamp) -> Self {
        Self {
            state: TicketState::Accepted,
            holder: origin,
            at,
        }
    }
}

impl History {
    /// A history whose dates follow each other, and do not lie after `now`. It states at least one step.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn new(
        received_at: Timestamp,
        sent: Option<(DepartmentCode, Timestamp)>,
        closed_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Self, &'static str> {
        let sent_at = sent.map(|(_, at)| at);
        let dates = [Some(received_at), sent_at, closed_at, Some(now)];
        if !dates.into_iter().flatten().is_sorted() {
            return Err("its dates do not follow each other: received, sent, closed, today");
        }
        if sent.is_none() && closed_at.is_none() {
            return Err("nothing became of it");
        }
        Ok(Self {
            received_at,
            sent,
            closed_at,
        })
    }

    /// The department that it was sent to.
    pub(super) const fn sent_to(&self) -> Option<DepartmentCode> {
        match self.sent {
            Some((department, _)) => Some(department),
            None => None,
        }
    }

    /// Its steps, oldest first, the call itself before them.
    pub(super) fn steps(&self, origin: DepartmentCode) -> Vec<Past> {
        let holder = self.sent_to().unwrap_or(origin);
        let step = |state, holder, at| Past { state, holder, at };
        let taken = Past::taken(origin, self.received_at);
        let sent = self.sent.map(|(holder, at)| step(TicketState::Dispatched, holder, at));
        let closed = self.closed_at.map(|at| step(TicketState::Closed, holder, at));
        [Some(taken), sent, closed].into_iter().flatten().collect()
    }

    /// What the log says of it.
    pub(super) fn link(&self) -> BTreeMap<String, String> {
        let mut link = BTreeMap::from([("received".to_owned(), milliseconds(self.received_at))]);
        if let Some((department, at)) = self.sent {
            link.insert("sent_to".to_owned(), department.to_string());
            link.insert("sent".to_owned(), milliseconds(at));
        }
        if let Some(at) = self.closed_at {
            link.insert("closed".to_owned(), milliseconds(at));
        }
        link
    }
}

impl Vault {
    /// What must still be so of the department that the call was sent to: it gets an open ticket only while it is open itself.
    pub(super) async fn may_hold(&self, history: &History) -> Result<Option<Guard>, Error> {
        let Some(department) = history.sent_to() else {
            return Ok(None);
        };
        if history.closed_at.is_some() {
            self.department_row(department).await?;
            return Ok(None);
        }
        Ok(Some(Guard::unchanged(&self.open_department(department).await?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_follow_each_other() {
        let [first, second, third, now] = [1, 2, 3, 4].map(|second| Timestamp::from_second(second).unwrap());
        let department: DepartmentCode = "C1".parse().unwrap();
        assert!(History::new(first, Some((department, second)), Some(third), now).is_ok());
        assert!(History::new(first, Some((department, first)), Some(first), first).is_ok());
        assert!(History::new(first, None, Some(second), now).is_ok());
        for (received, sent, closed) in [
            (second, Some((department, first)), None),
            (first, Some((department, third)), Some(second)),
            (second, None, Some(first)),
            (first, None, None),
        ] {
            assert!(History::new(received, sent, closed, now).is_err());
        }
        assert!(
            History::new(first, None, Some(now), third).is_err(),
            "it was closed in the future"
        );
    }

    #[test]
    fn a_call_that_was_not_sent_was_closed_by_its_centre() {
        let [first, second] = [1, 2].map(|second| Timestamp::from_second(second).unwrap());
        let centre: DepartmentCode = "H0".parse().unwrap();
        let history = History::new(first, None, Some(second), second).unwrap();
        let steps = history.steps(centre);
        let states: Vec<_> = steps.iter().map(|step| (step.state, step.holder, step.at)).collect();
        assert_eq!(
            states,
            [
                (TicketState::Accepted, centre, first),
                (TicketState::Closed, centre, second)
            ]
        );
    }
}
