//! Nothing opens for a permit that is not in the log.
use callervault::{keyring::Keyring, model::fields::FieldSet, policy::Permit, store::rows::WrappedKey};
fn open(keyring: &Keyring, key: &WrappedKey, fields: &FieldSet, permit: Permit) {
    let _ = keyring.open(&[], key, fields, permit);
}
fn main() {}
