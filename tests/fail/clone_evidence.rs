//! Evidence is spent, not copied.
fn clone(ask: callervault::model::ask::Ask, permit: callervault::policy::Permit, receipt: callervault::audit::Receipt) {
    let _ = (ask.clone(), permit.clone(), receipt.clone());
}
fn main() {}
