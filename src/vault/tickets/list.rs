//! The list of a department's tickets, page by page: an index gives the order, and no page looks at more than so many tickets.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};
use std::str::FromStr;

use jiff::civil::Date;

use super::{Standing, TicketList, line};
use crate::cells;
use crate::model::ask::Action;
use crate::model::deadlines::{Card, Cards, Deadlines};
use crate::model::ids::TicketId;
use crate::model::principals::Actor;
use crate::model::purposes::Purpose;
use crate::model::reference::{DepartmentCode, Reference};
use crate::model::ticket_name::TicketName;
use crate::model::tickets::{TicketOrder, TicketState, Urgency};
use crate::store::rows::ticket::{HELD, OPEN_ABOUT, QUEUE_HELD, QUEUE_TAKEN, STATE_HELD, STATE_TAKEN, TAKEN, Turn};
use crate::store::rows::{Cell, Coded, Column, Genuine, Read, TicketRow};
use crate::vault::{Error, LARGEST_PAGE, Session, Vault};

/// Most tickets that one page looks at, however few of them it shows.
const MOST_LOOKED_AT: usize = 1_000;
/// Tickets that are read at once, when the first few did not fill the page.
const CHUNK: u64 = 200;
/// Open tickets of a caller that tell whether there is another than the one in the list.
const TWO: u32 = 2;

/// Which tickets are listed. What is not stated does not matter.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// In this order; by default the queue.
    pub order: Option<TicketOrder>,
    /// In this state.
    pub state: Option<TicketState>,
    /// Of this category.
    pub category: Option<String>,
    /// Of this place.
    pub township: Option<String>,
    /// Of this urgency.
    pub urgency: Option<Urgency>,
    /// To be reported on before this day.
    pub due_before: Option<Date>,
    /// With this card.
    pub card: Option<Card>,
    /// Whether the centre watches over it.
    pub supervised: Option<bool>,
}

/// Where a page begins: behind a ticket, and the turn that it had. The ticket may have moved on since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct After {
    ticket: TicketName,
    turn: Turn,
}

impl Display for After {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.ticket, self.turn.number())
    }
}

impl FromStr for After {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (ticket, turn) = text.split_once('.').ok_or(())?;
        Ok(Self {
            ticket: ticket.parse().map_err(|_| ())?,
            turn: Turn::from_number(turn.parse().map_err(|_| ())?),
        })
    }
}

/// A part of the queue: from one turn to another.
#[derive(Clone, Copy)]
struct Span {
    first: Turn,
    last: Turn,
}

/// What was asked for, with the moments that its days are.
struct Sieve<'w> {
    wanted: &'w Wanted,
    cards: Cards,
    /// Milliseconds: deadlines from the first on and before the second.
    due: Option<[i64; 2]>,
}

impl<'w> Sieve<'w> {
    fn new(wanted: &'w Wanted, deadlines: &Deadlines, cards: Cards) -> Result<Self, Error> {
        let (red, yellow) = (cards.red.as_millisecond(), cards.yellow.as_millisecond());
        let carded = wanted.card.map(|card| match card {
            Card::Red => [0, red],
            Card::Yellow => [red, yellow],
        });
        let before = wanted.due_before.map(|day| deadlines.beginning_of(day)).transpose()?;
        let before = before.map(|moment| moment.as_millisecond());
        let due = match (carded, before) {
            (Some([from, to]), Some(before)) => Some([from, to.min(before)]),
            (carded, before) => carded.or(before.map(|before| [0, before])),
        };
        Ok(Self { wanted, cards, due })
    }

    /// Whether the list shows a ticket.
    fn passes(&self, row: &TicketRow) -> bool {
        let Wanted {
            state,
            category,
            township,
            urgency,
            supervised,
            ..
        } = self.wanted;
        let due = row.due.map(|due| due.as_millisecond());
        state.is_none_or(|state| state == row.state)
            && category.as_ref().is_none_or(|category| *category == row.category)
            && township.as_ref().is_none_or(|township| *township == row.township)
            && urgency.is_none_or(|urgency| urgency == row.urgency)
            && supervised.is_none_or(|supervised| supervised == row.supervised)
            && self
                .due
                .is_none_or(|[from, to]| due.is_some_and(|due| (from..to).contains(&due)))
    }

    /// The parts of the queue that what was asked for lies in, in its order.
    fn spans(&self) -> Vec<Span> {
        let mut urgencies: Vec<Urgency> = Urgency::ALL.to_vec();
        urgencies.retain(|urgency| self.wanted.urgency.is_none_or(|wanted| wanted == *urgency));
        urgencies.sort_by_key(|urgency| urgency.rank());
        let span = |urgency| match self.due {
            None => Span {
                first: Turn::first(urgency),
                last: Turn::new(urgency, None),
            },
            Some([from, to]) => Span {
                first: Turn::at(urgency, from),
                last: Turn::at(urgency, to).before(),
            },
        };
        urgencies.into_iter().map(span).collect()
    }
}

/// A page in the making.
struct Page {
    limit: usize,
    found: Vec<Genuine<TicketRow>>,
    looked_at: usize,
    /// The ticket at which it stopped, if it did before the end.
    next: Option<Genuine<TicketRow>>,
}

impl Page {
    /// How many tickets to read next: at first one more than the page shows.
    const fn chunk(&self) -> u64 {
        if self.looked_at == 0 {
            self.limit as u64 + 1
        } else {
            CHUNK
        }
    }

    /// Takes what the list shows of these tickets. Whether that is enough.
    fn take(&mut self, rows: Vec<Genuine<TicketRow>>, sieve: &Sieve<'_>) -> bool {
        for row in rows {
            if self.found.len() == self.limit && sieve.passes(&row) {
                self.next = self.found.last().cloned();
                return true;
            }
            if self.looked_at == MOST_LOOKED_AT {
                return true;
            }
            self.looked_at += 1;
            self.next = Some(row.clone());
            if sieve.passes(&row) {
                self.found.push(row);
            }
        }
        false
    }
}

impl Vault {
    /// Lists the tickets the asker's department holds or took.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn list_tickets(
        &self,
        session: &Session,
        purpose: Purpose,
        wanted: &Wanted,
        after: Option<After>,
        limit: u32,
    ) -> Result<TicketList, Error> {
        let ask = self.ask(session, Action::ListTickets, purpose)?;
        let cards = session.rules.deadlines.cards(ask.at())?;
        let sieve = Sieve::new(wanted, &session.rules.deadlines, cards)?;
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let audit = self.note(permit).await?;
        let mut page = Page {
            limit: limit.clamp(1, LARGEST_PAGE) as usize,
            found: Vec::new(),
            looked_at: 0,
            next: None,
        };
        let order = wanted.order.unwrap_or(TicketOrder::Queue);
        let more = match order {
            TicketOrder::Queue => self.queue(&session.actor, &sieve, after, &mut page).await?,
            TicketOrder::Newest => self.newest(&session.actor, &sieve, after, &mut page).await?,
        };
        let next = match page.next.filter(|_| more) {
            None => None,
            Some(row) => {
                let ticket = self.name_of_ticket(&session.actor, &row).await?;
                let turn = row.turn();
                Some(After { ticket, turn }.to_string())
            }
        };
        let mut open = BTreeMap::new();
        let mut tickets = Vec::with_capacity(page.found.len());
        for row in &page.found {
            let standing = Standing::new(row, &session.rules.deadlines, sieve.cards);
            // A hint: a row that was edited is for `fsck` to find, and keeps nobody from the list.
            let repeat = self
                .is_repeat(session.actor.department(), row, &mut open)
                .await
                .unwrap_or(false);
            let ticket = self.name_of_ticket(&session.actor, row).await?;
            tickets.push(line(session, ticket, row, standing, repeat));
        }
        Ok(TicketList {
            order,
            tickets,
            next,
            audit,
        })
    }

    /// Walks the queue. Whether there is more of it.
    async fn queue(
        &self,
        who: &Actor,
        sieve: &Sieve<'_>,
        after: Option<After>,
        page: &mut Page,
    ) -> Result<bool, Error> {
        let reads = match sieve.wanted.state {
            None => [&QUEUE_HELD, &QUEUE_TAKEN],
            Some(_) => [&STATE_HELD, &STATE_TAKEN],
        };
        let state = sieve.wanted.state.map(|state| state.cell());
        let begins = match after {
            None => None,
            Some(after) => Some((after.turn, self.place_of(who, &after.ticket).await?)),
        };
        for span in sieve.spans() {
            let mut from = [span.first.cell(), Cell::Int(i64::MIN), Cell::Text(String::new())];
            match &begins {
                Some((turn, _)) if *turn > span.last => continue,
                // Where the ticket has left the department, all of its turn comes again.
                Some((turn, place)) if *turn >= span.first => {
                    let [at, no] = place
                        .clone()
                        .unwrap_or([Cell::Int(i64::MIN), Cell::Text(String::new())]);
                    from = [turn.cell(), at, no];
                }
                _ => {}
            }
            loop {
                let chunk = page.chunk();
                let [turn, at, no] = from;
                let mut with = vec![who.department().cell(), turn, at, no, span.last.cell(), chunk.cell()];
                with.extend(state.clone());
                let mut rows = self.of_both(reads, &with).await?;
                rows.sort_by(|one, other| in_turn(one).cmp(&in_turn(other)));
                rows.dedup_by(|one, other| one.id == other.id);
                rows.truncate(chunk as usize);
                let last = rows.last().filter(|_| rows.len() as u64 == chunk).cloned();
                if page.take(rows, sieve) {
                    return Ok(true);
                }
                let Some(last) = last else { break };
                from = [last.turn().cell(), last.created_at.cell(), last.no.cell()];
            }
        }
        Ok(false)
    }

    /// Walks all tickets, newest first. Whether there are more.
    async fn newest(
        &self,
        who: &Actor,
        sieve: &Sieve<'_>,
        after: Option<After>,
        page: &mut Page,
    ) -> Result<bool, Error> {
        let mut from = match after {
            None => [Cell::Int(i64::MAX), Cell::Text(String::new())],
            Some(after) => match self.place_of(who, &after.ticket).await? {
                Some(place) => place,
                // A ticket that has left the department meanwhile ends the list, as one that never was.
                None => return Ok(false),
            },
        };
        loop {
            let chunk = page.chunk();
            let [at, no] = from;
            let with = [who.department().cell(), at, no, chunk.cell()];
            let mut rows = self.merged(&[&HELD, &TAKEN], &with).await?;
            rows.truncate(chunk as usize);
            let last = rows.last().filter(|_| rows.len() as u64 == chunk).cloned();
            if page.take(rows, sieve) {
                return Ok(true);
            }
            let Some(last) = last else { return Ok(false) };
            from = cells![last.created_at, last.no];
        }
    }

    /// The rows of two statements.
    async fn of_both(
        &self,
        reads: [&'static Read<Coded<TicketRow>>; 2],
        with: &[Cell],
    ) -> Result<Vec<Genuine<TicketRow>>, Error> {
        let mut rows = Vec::new();
        for read in reads {
            rows.extend(self.genuine(self.store.all(read, with).await?)?);
        }
        Ok(rows)
    }

    /// Age and number of a ticket that the department holds or took.
    async fn place_of(&self, who: &Actor, ticket: &TicketName) -> Result<Option<[Cell; 2]>, Error> {
        let row = self.ticket_named(who, ticket).await?;
        let department = who.department();
        // Outside the centre by its own name alone: that there is a ticket of that number is nothing a list tells.
        let named = matches!(ticket, TicketName::Reference(_));
        let own = row.filter(|row| row.origin == department || (row.holder == department && named));
        Ok(own.map(|row| cells![row.created_at, row.no]))
    }

    /// Whether the caller of a ticket that a centre took has another one there that is not over. `open` has what is known of other callers.
    async fn is_repeat(
        &self,
        department: DepartmentCode,
        row: &Genuine<TicketRow>,
        open: &mut BTreeMap<Reference, Vec<TicketId>>,
    ) -> Result<bool, Error> {
        if row.origin != department || row.confidential {
            return Ok(false);
        }
        let is_other = |ids: &Vec<TicketId>| ids.iter().any(|id| *id != row.id);
        if let Some(known) = open.get(&row.subject) {
            return Ok(is_other(known));
        }
        let Some(caller) = self.keyring.caller_in(row)? else {
            return Ok(false);
        };
        let caller = self.traced(caller).await?.row;
        let mut ids = Vec::new();
        for record in self.family(&caller).await? {
            let with = cells![record.subject, department, TWO];
            let rows = self.genuine(self.store.all(&OPEN_ABOUT, &with).await?)?;
            ids.extend(rows.iter().map(|row| row.id));
        }
        let repeat = is_other(&ids);
        open.insert(row.subject, ids);
        Ok(repeat)
    }
}

fn in_turn(row: &Genuine<TicketRow>) -> (Turn, jiff::Timestamp, &str) {
    (row.turn(), row.created_at, row.no.as_str())
}
