//! A receipt comes from the log only.
fn forge(permit: callervault::policy::Permit, position: callervault::audit::LogPosition) -> callervault::audit::Receipt {
    callervault::audit::Receipt::new(permit, position)
}
fn main() {}
