//! What a ticket is called: by its number in the centre, by a reference in a department.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

use super::reference::Reference;
use super::ticket_no::TicketNo;

/// A ticket as somebody names it. The 14 digits are the centre's and the caller's. A department has a reference of its own to it
/// (REFERENCES §2), so that two departments cannot join what they know by the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TicketName {
    /// The number that the caller was given.
    No(TicketNo),
    /// A department's reference to the ticket.
    Reference(Reference),
}

impl From<TicketNo> for TicketName {
    fn from(no: TicketNo) -> Self {
        Self::No(no)
    }
}

impl FromStr for TicketName {
    type Err = BadTicketName;

    /// Reads a number or a reference as typed; they differ in length.
    fn from_str(text: &str) -> Result<Self, BadTicketName> {
        if let Ok(no) = text.parse() {
            return Ok(Self::No(no));
        }
        let reference: Reference = text.parse().map_err(|_| BadTicketName)?;
        if reference.is_caller() {
            return Err(BadTicketName);
        }
        Ok(Self::Reference(reference))
    }
}

impl fmt::Display for TicketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No(no) => no.fmt(f),
            Self::Reference(reference) => reference.fmt(f),
        }
    }
}

impl Serialize for TicketName {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TicketName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // The format's own error would repeat a value that is no string.
        let text = String::deserialize(from).map_err(|_| D::Error::custom(BadTicketName))?;
        text.parse().map_err(D::Error::custom)
    }
}

/// The text is neither a ticket's number nor a reference to a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a ticket is named by its number, 14 digits, or by your department's reference to it, 16 characters")]
pub struct BadTicketName;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::RecordKind;

    #[test]
    fn a_number_and_a_reference_to_a_ticket_name_one_and_a_caller_s_does_not() {
        let no = TicketNo::new(48_213_900_127).unwrap();
        assert_eq!(no.grouped().parse(), Ok(TicketName::No(no)));
        let reference = |kind| Reference::new("C1".parse().unwrap(), kind, 3, 77).unwrap();
        let ticket = reference(RecordKind::Ticket);
        assert_eq!(ticket.to_string().parse(), Ok(TicketName::Reference(ticket)));
        let caller: Result<TicketName, _> = reference(RecordKind::Caller).to_string().parse();
        assert_eq!(caller, Err(BadTicketName));
        assert_eq!("48213900127".parse::<TicketName>(), Err(BadTicketName));
    }
}
