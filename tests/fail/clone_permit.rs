//! A permit is spent, not copied.
fn copy(permit: callervault::policy::Permit) {
    let _ = permit.clone();
}
fn main() {}
