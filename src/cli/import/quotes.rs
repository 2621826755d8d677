//! Quotation marks of a CSV row, followed byte by byte: what its reader takes without a word is told here.

/// Where in a field the last byte stood.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before a field's first byte.
    Begin,
    Plain,
    Quoted,
    /// Behind a mark inside a quoted field: it closes the field, or is the first of two that mean one.
    Mark,
}

/// The marks of one row.
pub(super) struct Quotes {
    delimiter: u8,
    at: At,
    /// A field went on behind its closing mark.
    stray: bool,
}

impl Quotes {
    pub(super) const fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            at: At::Begin,
            stray: false,
        }
    }

    /// Goes on through these bytes of the row.
    pub(super) fn pass(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let ends = *byte == self.delimiter || matches!(byte, b'\n' | b'\r');
            self.at = match (self.at, byte) {
                (At::Begin | At::Mark, b'"') => At::Quoted,
                (At::Quoted, b'"') => At::Mark,
                (At::Quoted, _) => At::Quoted,
                (At::Begin | At::Plain | At::Mark, _) if ends => At::Begin,
                (At::Mark, _) => {
                    self.stray = true;
                    At::Plain
                }
                (At::Begin | At::Plain, _) => At::Plain,
            };
        }
    }

    /// What is wrong with the marks of a row that has ended.
    pub(super) const fn fault(&self) -> Option<&'static str> {
        match self.at {
            _ if self.stray => Some("a closing quotation mark is followed by other text"),
            At::Quoted => Some("a quotation mark is not closed"),
            At::Begin | At::Plain | At::Mark => None,
        }
    }
}
