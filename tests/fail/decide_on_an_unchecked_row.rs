//! A row whose code nobody has checked shows nothing, and is no fact.
use callervault::policy::facts::TicketFacts;
use callervault::store::rows::{Coded, Genuine, TicketRow};
fn state(row: &Coded<TicketRow>) -> bool {
    row.state.is_open()
}
fn fact(row: Coded<TicketRow>, like: TicketFacts) -> TicketFacts {
    TicketFacts { row, ..like }
}
fn forge(row: TicketRow, like: &Genuine<TicketRow>) -> Genuine<TicketRow> {
    Genuine::attested(row, *like.code(), None)
}
fn main() {}
