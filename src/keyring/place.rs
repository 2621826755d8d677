//! Associated data: the place a ciphertext belongs to. It opens nowhere else (P4).

use super::derive::join;
use crate::model::approvals::Giver;
use crate::model::ids::{HoldId, RecordId, RecordKind, TicketId};
use crate::model::reference::DepartmentCode;

/// Of a sealed field: this log, record, field and key generation.
pub(super) fn field(origin: &str, record: RecordId, field: &str, generation: u8) -> Vec<u8> {
    join(&[
        b"callervault/field/1",
        origin.as_bytes(),
        record.kind().as_str().as_bytes(),
        record.as_bytes(),
        field.as_bytes(),
        &[generation],
    ])
}

/// Of a reason in the row of a legal hold: this caller's record, hold and giver.
pub(super) fn hold_reason(origin: &str, record: RecordId, (hold, giver): (HoldId, Giver), generation: u8) -> Vec<u8> {
    join(&[
        b"callervault/hold-reason/1",
        origin.as_bytes(),
        record.as_bytes(),
        hold.as_bytes(),
        giver.as_str().as_bytes(),
        &[generation],
    ])
}

/// Of a wrapped record key: this log, record, generation and key-encryption key.
pub(super) fn record_key(origin: &str, record: RecordId, generation: u8, kek: u8) -> Vec<u8> {
    join(&[
        b"callervault/record-key/1",
        origin.as_bytes(),
        record.kind().as_str().as_bytes(),
        record.as_bytes(),
        &[generation],
        &[kek],
    ])
}

/// Of a wrapped key of the keyring.
pub(super) fn keyring(origin: &str, role: &str, version: u8) -> Vec<u8> {
    join(&[b"callervault/keyring/1", origin.as_bytes(), role.as_bytes(), &[version]])
}

/// Of the wrapped root key.
pub(super) fn root(origin: &str) -> Vec<u8> {
    join(&[b"callervault/root-key/1", origin.as_bytes()])
}

/// Of the root key under a key that is in shares: this generation, threshold and number of shares.
pub(super) fn root_by_shares(origin: &str, generation: u32, scheme: [u8; 2]) -> Vec<u8> {
    join(&[
        b"callervault/root-key-by-shares/1",
        origin.as_bytes(),
        &generation.to_be_bytes(),
        &scheme,
    ])
}

/// Of the root key under a key of a hardware module: this generation, token and key.
pub(super) fn root_by_hsm(origin: &str, generation: u32, labels: [&str; 2]) -> Vec<u8> {
    let [token, key] = labels;
    join(&[
        b"callervault/root-key-by-pkcs11/1",
        origin.as_bytes(),
        &generation.to_be_bytes(),
        token.as_bytes(),
        key.as_bytes(),
    ])
}

/// Of the caller's id in a ticket's row.
pub(super) fn ticket_caller(origin: &str, ticket: TicketId) -> Vec<u8> {
    join(&[b"callervault/ticket-caller/1", origin.as_bytes(), ticket.as_bytes()])
}

/// Of the id behind a reference: every other column of its row.
pub(super) fn reference(
    origin: &str,
    department: DepartmentCode,
    kind: RecordKind,
    version: u8,
    body: &[u8; 16],
) -> Vec<u8> {
    join(&[
        b"callervault/reference/1",
        origin.as_bytes(),
        department.as_bytes(),
        kind.as_str().as_bytes(),
        &[version],
        body,
    ])
}
