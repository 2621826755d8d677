//! One read in the log, one opening.
use callervault::{keyring::Keyring, log::Receipt, model::fields::FieldSet, store::rows::WrappedKey};
fn twice(keyring: &Keyring, key: &WrappedKey, fields: &FieldSet, receipt: Receipt) {
    let _ = keyring.open(&[], key, fields, receipt);
    let _ = keyring.open(&[], key, fields, receipt);
}
fn main() {}
