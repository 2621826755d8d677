//! Evidence that something stands in the log. Only the log makes it.

use crate::merkle::Hash;
use crate::model::fields::FieldName;
use crate::model::ids::{RecordId, RecordKind};
use crate::model::purposes::Form;
use crate::policy::{Permit, Why};

/// Where a leaf stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPosition {
    /// Position from 0.
    pub index: u64,
    /// RFC 6962 leaf hash.
    pub leaf_hash: Hash,
}

/// A permitted read stands durably in the log. Consumed by `Keyring::open`, which discloses what it names, once.
/// Not `Clone`, `Default`, `Debug` or `Deserialize`.
pub struct Receipt {
    permit: Permit,
    position: LogPosition,
}

impl Receipt {
    pub(super) const fn new(permit: Permit, position: LogPosition) -> Self {
        Self { permit, position }
    }

    /// The record whose fields may be opened: the one the vault resolved, not one the asker named.
    #[must_use]
    pub fn record(&self) -> Option<RecordId> {
        let facts = self.permit.facts();
        match self.permit.ask().record() {
            RecordKind::Caller => facts.caller.as_ref().map(|caller| RecordId::Caller(caller.row.id)),
            RecordKind::Ticket => facts.ticket.as_ref().map(|ticket| RecordId::Ticket(ticket.row.id)),
        }
    }

    /// The fields that may be opened.
    #[must_use]
    pub fn fields(&self) -> &[FieldName] {
        self.permit.ask().field_names()
    }

    /// The form in which they may leave.
    #[must_use]
    pub fn form(&self) -> Option<Form> {
        self.permit.ask().shown_as()
    }

    /// Where the read stands in the log.
    #[must_use]
    pub const fn position(&self) -> LogPosition {
        self.position
    }

    /// Spends the receipt.
    #[must_use]
    pub fn into_position(self) -> LogPosition {
        self.position
    }
}

/// A permitted act and its changes stand durably in the log and in the store.
pub struct Recorded {
    permit: Permit,
    position: LogPosition,
}

impl Recorded {
    pub(super) const fn new(permit: Permit, position: LogPosition) -> Self {
        Self { permit, position }
    }

    /// What was permitted.
    pub const fn permit(&self) -> &Permit {
        &self.permit
    }

    /// Where it stands.
    #[must_use]
    pub const fn position(&self) -> LogPosition {
        self.position
    }
}

/// A refusal stands durably in the log.
#[derive(Debug)]
pub struct Refusal {
    why: Why,
    position: LogPosition,
}

impl Refusal {
    pub(super) const fn new(why: Why, position: LogPosition) -> Self {
        Self { why, position }
    }

    /// Why.
    #[must_use]
    pub const fn why(&self) -> Why {
        self.why
    }

    /// Where it stands.
    #[must_use]
    pub const fn position(&self) -> LogPosition {
        self.position
    }
}
