//! An actor comes from authentication only.
fn main() {
    let _ = callervault::model::principals::Actor::authenticated();
}
