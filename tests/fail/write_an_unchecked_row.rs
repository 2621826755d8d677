//! What is written carries a code that the keyring made.
use callervault::store::Write;
use callervault::store::rows::{Coded, TicketRow};
fn plain(row: TicketRow) -> Write {
    Write::put(row)
}
fn unchecked(row: Coded<TicketRow>) -> Write {
    Write::put(row)
}
fn main() {}
