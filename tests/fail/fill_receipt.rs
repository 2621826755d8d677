//! A receipt is not put together from its parts.
use callervault::log::{LogPosition, Receipt};
use callervault::policy::Permit;
fn fill(permit: Permit, position: LogPosition) -> Receipt {
    Receipt { permit, position }
}
fn main() {}
