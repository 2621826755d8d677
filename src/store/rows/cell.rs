//! What stands in one column: the same four kinds in every database.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::merkle::Hash;
use crate::model::approvals::ApprovalState;
use crate::model::ask::Action;
use crate::model::callbacks::{Satisfaction, YesNo};
use crate::model::code::Code;
use crate::model::contacts::ContactOutcome;
use crate::model::ids::{
    ApprovalId, CallerId, ContactId, HoldId, JoinId, PrincipalId, RecordKind, TicketId, TokenId, TransferId,
};
use crate::model::key_roles::KeyRole;
use crate::model::limits::{Counted, Counts};
use crate::model::principals::{DepartmentKind, DepartmentState, PrincipalKind, Roles};
use crate::model::purposes::Purpose;
use crate::model::reference::{DepartmentCode, Reference};
use crate::model::reference_versions::ReferenceKeys;
use crate::model::ticket_no::TicketNo;
use crate::model::tickets::{Channel, MatterKind, TicketState, Urgency};
use crate::model::unlocking::{CameFrom, OpensBy};

/// The value of one column of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A number, a flag (0 or 1) or a time (milliseconds since 1970-01-01T00:00:00Z).
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Cell {
    /// A list of cells as bytes: kind, length and content of each.
    #[must_use]
    pub fn list_to_bytes(cells: &[Self]) -> Vec<u8> {
        let mut bytes = Vec::new();
        cells.iter().for_each(|cell| cell.encode(&mut bytes));
        bytes
    }

    /// The list that [`Self::list_to_bytes`] has made these bytes of.
    #[must_use]
    pub fn list_from_bytes(mut bytes: &[u8]) -> Option<Vec<Self>> {
        let mut cells = Vec::new();
        while let Some((&[kind, a, b, c, d], rest)) = bytes.split_first_chunk() {
            let len = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
            let (content, rest) = rest.split_at_checked(len)?;
            cells.push(match kind {
                0 => Self::Null,
                1 => Self::Int(i64::from_be_bytes(content.try_into().ok()?)),
                2 => Self::Text(String::from_utf8(content.to_vec()).ok()?),
                3 => Self::Bytes(content.to_vec()),
                _ => return None,
            });
            bytes = rest;
        }
        bytes.is_empty().then_some(cells)
    }

    /// Appends kind, length and content, so that no two lists of cells give the same bytes.
    pub(super) fn encode(&self, into: &mut Vec<u8>) {
        let mut put = |kind: u8, content: &[u8]| {
            into.push(kind);
            into.extend_from_slice(&u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes());
            into.extend_from_slice(content);
        };
        match self {
            Self::Null => put(0, &[]),
            Self::Int(number) => put(1, &number.to_be_bytes()),
            Self::Text(text) => put(2, text.as_bytes()),
            Self::Bytes(bytes) => put(3, bytes),
        }
    }
}

/// The key of a table that has one row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct One;

impl Column for One {
    fn cell(&self) -> Cell {
        Cell::Int(1)
    }

    fn from_cell(cell: Cell) -> Option<Self> {
        (cell == Cell::Int(1)).then_some(Self)
    }
}

/// A type that fills one column.
pub trait Column: Sized {
    /// As it is stored.
    fn cell(&self) -> Cell;

    /// The value stored so; nothing for what no version of the vault writes there.
    fn from_cell(cell: Cell) -> Option<Self>;
}

impl<T: Column> Column for Option<T> {
    fn cell(&self) -> Cell {
        self.as_ref().map_or(Cell::Null, T::cell)
    }

    fn from_cell(cell: Cell) -> Option<Self> {
        match cell {
            Cell::Null => Some(None),
            cell => T::from_cell(cell).map(Some),
        }
    }
}

impl Column for bool {
    fn cell(&self) -> Cell {
        Cell::Int(i64::from(*self))
    }

    fn from_cell(cell: Cell) -> Option<Self> {
        match cell {
            Cell::Int(0) => Some(false),
            Cell::Int(1) => Some(true),
            _ => None,
        }
    }
}

impl Column for u64 {
    /// Databases' integers are signed; a number beyond 63 bits is stored as the largest and found by whoever compares.
    fn cell(&self) -> Cell {
        Cell::Int(i64::try_from(*self).unwrap_or(i64::MAX))
    }

    fn from_cell(cell: Cell) -> Option<Self> {
        match cell {
            Cell::Int(number) => number.try_into().ok(),
            _ => None,
        }
    }
}

macro_rules! small_number {
    ($($number:ty),+) => {
        $(impl Column for $number {
            fn cell(&self) -> Cell {
                Cell::Int(i64::from(*self))
            }

            fn from_cell(cell: Cell) -> Option<Self> {
                match cell {
                    Cell::Int(number) => number.try_into().ok(),
                    _ => None,
                }
            }
        })+
    };
}
small_number!(u8, u32);

impl Column for Timestamp {
    fn cell(&self) -> Cell {
        Cell::Int(self.as_millisecond())
    }

    fn from_cell(cell: Cell) -> Option<Self> {
        match cell {
            Cell::Int(at) => Self::from_millisecond(at).ok(),
            _ => None,
        }
    }
}

impl Column for String {
    fn cell(&self) -> Cell {
        Cell::Text(self.clone())
    }

    fn from_cell(cell: Cell) -> Option<Self> {
        match cell {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Column for Vec<u8> {
    fn cell(&self) -> Cell {
        Cell::Bytes(self.clone())
    }

    fn from_cell(cell: Cell) -> Option<Self> {
        match cell {
            Cell::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

impl Column for ReferenceKeys {
    fn cell(&self) -> Cell {
        Cell::Bytes(self.as_bytes().to_vec())
    }

    fn from_cell(cell: Cell) -> Option<Self> {
        Self::from_bytes(&Vec::from_cell(cell)?)
    }
}

impl<const N: usize> Column for [u8; N] {
    fn cell(&self) -> Cell {
        Cell::Bytes(self.to_vec())
    }

    fn from_cell(cell: Cell) -> Option<Self> {
        Vec::from_cell(cell)?.try_into().ok()
    }
}

/// Words with a space between, such as names of fields.
impl Column for Vec<String> {
    fn cell(&self) -> Cell {
        Cell::Text(self.join(" "))
    }

    fn from_cell(cell: Cell) -> Option<Self> {
        Some(String::from_cell(cell)?.split_whitespace().map(str::to_owned).collect())
    }
}

/// JSON with its keys in order.
impl Column for BTreeMap<String, String> {
    fn cell(&self) -> Cell {
        Cell::Text(serde_json::to_string(self).unwrap_or_default())
    }

    fn from_cell(cell: Cell) -> Option<Self> {
        serde_json::from_str(&String::from_cell(cell)?).ok()
    }
}

macro_rules! as_bytes {
    ($($name:ty),+) => {
        $(impl Column for $name {
            fn cell(&self) -> Cell {
                Cell::Bytes(self.as_bytes().to_vec())
            }

            fn from_cell(cell: Cell) -> Option<Self> {
                Column::from_cell(cell).map(Self::from_bytes)
            }
        })+
    };
}
as_bytes!(
    CallerId,
    TicketId,
    PrincipalId,
    TokenId,
    ApprovalId,
    JoinId,
    HoldId,
    ContactId,
    TransferId,
    Code,
    Hash
);

macro_rules! as_word {
    ($($name:ty),+) => {
        $(impl Column for $name {
            fn cell(&self) -> Cell {
                Cell::Text(self.as_str().to_owned())
            }

            fn from_cell(cell: Cell) -> Option<Self> {
                Self::from_word(&String::from_cell(cell)?)
            }
        })+
    };
}
as_word!(
    Action,
    ApprovalState,
    CameFrom,
    Channel,
    ContactOutcome,
    Counted,
    DepartmentKind,
    DepartmentState,
    KeyRole,
    MatterKind,
    OpensBy,
    PrincipalKind,
    Purpose,
    RecordKind,
    Satisfaction,
    TicketState,
    Urgency,
    YesNo
);

macro_rules! as_text {
    ($($name:ty),+) => {
        $(impl Column for $name {
            fn cell(&self) -> Cell {
                Cell::Text(self.to_string())
            }

            fn from_cell(cell: Cell) -> Option<Self> {
                String::from_cell(cell)?.parse().ok()
            }
        })+
    };
}
as_text!(Counts, DepartmentCode, Reference, TicketNo);

impl Column for Roles {
    fn cell(&self) -> Cell {
        Cell::Text(self.to_words())
    }

    fn from_cell(cell: Cell) -> Option<Self> {
        Self::from_words(&String::from_cell(cell)?)
    }
}
