//! Identifiers: random 128-bit numbers that mean nothing outside the vault.

use std::fmt;

use uuid::Uuid;

use super::word_enum::word_enum;
use crate::randomness::{NoRandomness, Randomness};

word_enum! {
    /// Which kind of record a sealed field belongs to. The words stand in associated data, in rows and in `fields.toml`.
    pub enum RecordKind {
        /// A caller.
        Caller = "caller": "Caller" / "诉求人",
        /// A ticket.
        Ticket = "ticket": "Ticket" / "工单",
    }
}

/// A UUID version 4 (RFC 9562 §5.4).
///
/// # Errors
/// Without randomness.
pub(crate) fn random_uuid(randomness: &dyn Randomness) -> Result<Uuid, NoRandomness> {
    let mut bits = [0; 16];
    randomness.fill(&mut bits)?;
    Ok(uuid::Builder::from_random_bytes(bits).into_uuid())
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 16]);

        impl $name {
            /// A new identifier: 122 random bits in the layout of a UUID version 4 (RFC 9562 §5.4).
            ///
            /// # Errors
            /// Without randomness.
            pub fn random(randomness: &dyn Randomness) -> Result<Self, NoRandomness> {
                Ok(Self(random_uuid(randomness)?.into_bytes()))
            }

            /// The identifier stored as these 16 bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes as stored.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

random_id! {
    /// A caller inside the vault. It never leaves: departments see references.
    CallerId
}
random_id! {
    /// A ticket inside the vault. Outside it has a ticket number.
    TicketId
}
random_id! {
    /// A person or service account. Shown to administrators and in the log.
    PrincipalId
}
random_id! {
    /// One API token's handle, by which it is revoked. Not the secret.
    TokenId
}

random_id! {
    /// One request for a second person's approval.
    ApprovalId
}

random_id! {
    /// One merge or split of callers' records.
    JoinId
}

random_id! {
    /// One legal hold, or one restriction of a caller's data to storage.
    HoldId
}

random_id! {
    /// One call to a caller by a relay.
    ContactId
}

random_id! {
    /// One transfer of a caller's reference to another department.
    TransferId
}

random_id! {
    /// One backup in the making.
    BackupId
}

macro_rules! shown_as_hex {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
            }
        }

        impl std::str::FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                let bytes = data_encoding::HEXLOWER_PERMISSIVE
                    .decode(text.as_bytes())
                    .map_err(|_| BadId)?;
                bytes.try_into().map(Self).map_err(|_| BadId)
            }
        }
    };
}

shown_as_hex!(PrincipalId);
shown_as_hex!(TokenId);
shown_as_hex!(ApprovalId);
shown_as_hex!(JoinId);
shown_as_hex!(HoldId);
shown_as_hex!(ContactId);
shown_as_hex!(TransferId);
shown_as_hex!(BackupId);

/// The text is not 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an identifier is 32 hexadecimal digits")]
pub struct BadId;

/// A record that holds sealed fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordId {
    /// A caller's record.
    Caller(CallerId),
    /// A ticket's record.
    Ticket(TicketId),
}

impl RecordId {
    /// Caller or ticket.
    #[must_use]
    pub const fn kind(&self) -> RecordKind {
        match self {
            Self::Caller(_) => RecordKind::Caller,
            Self::Ticket(_) => RecordKind::Ticket,
        }
    }

    /// The 16 bytes as stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        match self {
            Self::Caller(id) => id.as_bytes(),
            Self::Ticket(id) => id.as_bytes(),
        }
    }

    /// The record of that kind with these bytes.
    #[must_use]
    pub const fn new(kind: RecordKind, bytes: [u8; 16]) -> Self {
        match kind {
            RecordKind::Caller => Self::Caller(CallerId::from_bytes(bytes)),
            RecordKind::Ticket => Self::Ticket(TicketId::from_bytes(bytes)),
        }
    }
}
