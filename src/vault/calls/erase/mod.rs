//! A caller is erased, with a second person's approval (decision 0039).
//!
//! In one transaction everything that leads to the caller goes: sealed fields, blind indexes, what references stand for, the caller's id
//! in tickets, and the record itself with those that were merged into it. Then the key store destroys the record keys, of the caller and
//! of the tickets, and then the answer is given: a receipt that the log's key has signed. What a backup of the data store still has does
//! not open any more.

mod compose;
mod receipt;

use serde::Serialize;

pub(in crate::vault) use self::compose::{Departments, Whole};
use crate::model::ask::{Action, Ask};
use crate::model::problems::{self, ProblemKind, Thing};
use crate::model::purposes::Purpose;
use crate::model::reference::Reference;
use crate::policy::Why;
use crate::store::rows::{About, CallerRow, Genuine};
use crate::vault::people::approvals::{Act, ERASED, Exact, is_overtaken, same};
use crate::vault::{Audit, Error, Session, Vault};

/// Words of an erasure's request and leaf: how many records and tickets go.
const RECORDS: &str = "records";
/// As [`RECORDS`].
const TICKETS: &str = "tickets";
/// Most open tickets that a refusal names.
const NAMED: usize = 5;

/// A caller who was erased.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Erasure {
    /// What the log calls the caller.
    #[schema(value_type = String)]
    pub subject: Reference,
    /// When, UTC.
    pub erased_at: String,
    /// Records of the caller that were erased: more than one where records had been merged.
    pub records: u64,
    /// Tickets whose sealed fields were erased. Their steps stay, without the caller.
    pub tickets: u32,
    /// The receipt, a signed note. `callervault audit verify --receipt FILE` checks it without the vault.
    pub receipt: String,
    /// The log entry of this act.
    pub audit: Audit,
}

/// What stands against an erasure, and how it is told.
type Against = (Why, &'static ProblemKind, (&'static str, String));

impl Vault {
    /// Erases a caller.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::RefusedBecause`]; [`Error::RefusedNaming`] under a legal hold or while a ticket is open;
    /// [`Error::Bad`] for more tickets than change at once, and where the keys could not be destroyed yet.
    pub async fn erase_caller(&self, session: &Session, caller: Reference, exact: &Exact) -> Result<Erasure, Error> {
        let done = self.erase_once(session, caller, exact).await;
        if is_overtaken(&done, exact) {
            return self.erase_once(session, caller, exact).await;
        }
        done
    }

    async fn erase_once(&self, session: &Session, caller: Reference, exact: &Exact) -> Result<Erasure, Error> {
        let ask = self.ask(session, Action::Erase, Purpose::Audit)?.caller(caller);
        self.may_with_two(&ask).await?;
        let row = self.facts(&ask).await?.caller.ok_or(Error::Stale)?.row;
        let ask = ask.subject(row.subject);
        let whole = self.whole(&row).await?;
        let against = self.against(&whole).await?;
        if let (Some(against), None) = (&against, exact.approval) {
            return Err(self.refuse_erasure(&ask, against).await?);
        }
        let act = self.with_two(ask, about(&row, &whole), exact).await?;
        if against.is_some() {
            // It was not so when it was approved.
            return Err(Error::Stale);
        }
        self.erase(session, act, &row, &whole).await
    }

    async fn erase(
        &self,
        session: &Session,
        act: Act,
        row: &Genuine<CallerRow>,
        whole: &Whole,
    ) -> Result<Erasure, Error> {
        let at = act.permit().ask().at();
        let departments = self.departments_with_references().await?;
        let composed = self.compose_erasure(session.actor.id(), row, (whole, &departments), at);
        let (mut change, erased) = composed.await?;
        change.guards.extend(whole.unheld());
        let position = self.act(act, change).await?.position();
        // Copies that were made for somebody to fetch, or to check, still have the keys.
        self.copies.forget();
        self.erasure(&erased, position, position.into()).await
    }

    /// That a caller was erased, with the receipt.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::NotFound`] after the attempt is logged.
    pub async fn read_erasure(&self, session: &Session, subject: Reference) -> Result<Erasure, Error> {
        let ask = self.ask(session, Action::ReadErasure, Purpose::Audit)?.subject(subject);
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let audit = self.note(permit).await?;
        let row = self.erased(&subject).await?.ok_or(Error::NotFound(Thing::Erasure))?;
        let position = self.position_of(&row).await?;
        self.erasure(&row, position, audit).await
    }

    async fn against(&self, whole: &Whole) -> Result<Option<Against>, Error> {
        if whole.family.iter().any(|record| record.holds > 0) {
            let holds = self.names_of_holds(&whole.family).await?;
            return Ok(Some((Why::Held, problems::UNDER_HOLD, ("holds", holds))));
        }
        let open = whole.tickets.iter().filter(|ticket| ticket.state.is_open());
        let mut open: Vec<String> = open.map(|ticket| ticket.no.to_string()).collect();
        if open.is_empty() {
            return Ok(None);
        }
        if open.len() > NAMED {
            open.truncate(NAMED);
            open.push("…".to_owned());
        }
        let named = ("tickets", open.join(", "));
        Ok(Some((Why::TicketsOpen, problems::TICKETS_OPEN, named)))
    }

    /// Refuses an erasure before a second person is asked.
    async fn refuse_erasure(&self, ask: &Ask, (why, told, named): &Against) -> Result<Error, Error> {
        let asking = same(ask, Action::AskApproval);
        let facts = self.facts(&asking).await?;
        let permit = self.decide(asking, facts).await?;
        Ok(self.refuse_naming(permit.withdraw(*why), told, named.clone()).await)
    }
}

/// What the second person is told.
fn about(row: &CallerRow, whole: &Whole) -> About {
    let words = [
        (ERASED, row.subject.to_string()),
        (RECORDS, whole.family.len().to_string()),
        (TICKETS, whole.tickets.len().to_string()),
    ];
    words.map(|(word, text)| (word.to_owned(), text)).into()
}
