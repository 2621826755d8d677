//! An ask is spent, not copied.
fn copy(ask: callervault::model::ask::Ask) {
    let _ = ask.clone();
}
fn main() {}
