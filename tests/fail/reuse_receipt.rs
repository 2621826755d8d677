//! One read in the log, one opening.
use callervault::{audit::Receipt, keyring::Keyring, model::fields::FieldSet, store::rows::WrappedKey};
fn twice(keyring: &Keyring, key: &WrappedKey, fields: &FieldSet, receipt: Receipt) {
    let _ = keyring.open(&[], key, fields, receipt);
    let _ = keyring.open(&[], key, fields, receipt);
}
fn main() {}
