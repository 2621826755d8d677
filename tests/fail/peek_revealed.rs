//! An opened value is not looked at on its way out.
fn peek(revealed: callervault::keyring::Revealed) {
    let _ = &revealed.fields;
}
fn main() {}
