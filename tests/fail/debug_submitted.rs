//! What came in is not printed.
fn print(value: callervault::model::submitted::Submitted) {
    let _ = format!("{value:?}");
}
fn main() {}
