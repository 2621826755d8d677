//! An opened value is not printed on its way out.
fn print(revealed: callervault::keyring::Revealed) {
    let _ = format!("{revealed:?}");
}
fn main() {}
