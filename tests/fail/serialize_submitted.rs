//! What came in is not written out.
fn needs_serialize<T: serde::Serialize>(_: &T) {}
fn write(value: callervault::model::submitted::Submitted) {
    needs_serialize(&value);
}
fn main() {}
