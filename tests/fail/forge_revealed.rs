//! Opened fields come from the keyring only.
use callervault::log::Receipt;
use callervault::keyring::Revealed;
use callervault::model::fields::FieldSet;
fn forge(fields: &FieldSet, receipt: Receipt) {
    let _ = Revealed::new(Vec::new(), fields, receipt);
}
fn main() {}
