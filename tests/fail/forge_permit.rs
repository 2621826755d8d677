//! A permit comes from a decision only.
fn main() {
    let _ = callervault::policy::Permit { ask: todo!(), facts: todo!(), role: todo!(), policy: todo!() };
}
