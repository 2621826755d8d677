//! What came in is sealed, never shown.
fn show(value: callervault::model::submitted::Submitted) {
    let _ = format!("{value:?}");
    let _ = format!("{value}");
    let _ = value.expose();
}
fn main() {}
