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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::ids::CallerId;

    /// Whatever of a place is another, it is another place.
    #[test]
    fn no_two_places_are_one() {
        let record = RecordId::new(RecordKind::Caller, [1; 16]);
        let of_ticket = RecordId::new(RecordKind::Ticket, [1; 16]);
        let other = RecordId::Caller(CallerId::from_bytes([2; 16]));
        let [hold, other_hold] = [1, 2].map(|id| HoldId::from_bytes([id; 16]));
        let [ticket, other_ticket] = [1, 2].map(|id| TicketId::from_bytes([id; 16]));
        let [department, other_department] = ["00", "01"].map(|code| code.parse::<DepartmentCode>().unwrap());
        let mut places = Vec::new();
        for origin in ["a.example/log/1", "b.example/log/1"] {
            places.extend([
                field(origin, record, "name", 1),
                field(origin, of_ticket, "name", 1),
                field(origin, other, "name", 1),
                field(origin, record, "phone", 1),
                field(origin, record, "name", 2),
                hold_reason(origin, record, (hold, Giver::Asker), 1),
                hold_reason(origin, other, (hold, Giver::Asker), 1),
                hold_reason(origin, record, (other_hold, Giver::Asker), 1),
                hold_reason(origin, record, (hold, Giver::Approver), 1),
                hold_reason(origin, record, (hold, Giver::Asker), 2),
                record_key(origin, record, 1, 1),
                record_key(origin, of_ticket, 1, 1),
                record_key(origin, other, 1, 1),
                record_key(origin, record, 2, 1),
                record_key(origin, record, 1, 2),
                keyring(origin, "kek", 1),
                keyring(origin, "row", 1),
                keyring(origin, "kek", 2),
                root(origin),
                root_by_shares(origin, 1, [2, 3]),
                root_by_shares(origin, 2, [2, 3]),
                root_by_shares(origin, 1, [3, 3]),
                root_by_shares(origin, 1, [2, 4]),
                root_by_hsm(origin, 1, ["token", "key"]),
                root_by_hsm(origin, 2, ["token", "key"]),
                root_by_hsm(origin, 1, ["tokenk", "ey"]),
                ticket_caller(origin, ticket),
                ticket_caller(origin, other_ticket),
                reference(origin, department, RecordKind::Caller, 1, &[1; 16]),
                reference(origin, other_department, RecordKind::Caller, 1, &[1; 16]),
                reference(origin, department, RecordKind::Ticket, 1, &[1; 16]),
                reference(origin, department, RecordKind::Caller, 2, &[1; 16]),
                reference(origin, department, RecordKind::Caller, 1, &[2; 16]),
            ]);
        }
        let all = places.len();
        assert_eq!(places.into_iter().collect::<BTreeSet<_>>().len(), all);
    }
}
