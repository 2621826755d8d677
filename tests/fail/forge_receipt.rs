//! A receipt comes from the log only.
use callervault::log::{LogPosition, Receipt};
use callervault::policy::Permit;
fn forge(permit: Permit, position: LogPosition) -> Receipt {
    Receipt::new(permit, position)
}
fn main() {}
