//! CSV (RFC 4180): a row that names the columns, then one record a row. `;` and tabs between columns are found out.

use std::sync::Arc;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use zeroize::{Zeroize, Zeroizing};

use super::quotes::Quotes;
use super::row::{Cell, Each, Fault, Item, LONGEST, Row, Stop};
use super::text::{REPLACEMENT, Text};
use crate::cli::Failure;
use crate::model::submitted::Submitted;

const MOST_COLUMNS: usize = 1024;

/// Reads them all. `header` is the number of the row that names the columns.
pub(super) fn read(text: Text, delimiter: Option<char>, header: u64, each: Each<'_>) -> Result<(), Stop> {
    let mut table = Table::new(text, delimiter, header)?;
    let mut columns: Vec<Arc<str>> = Vec::new();
    let mut rows = 0;
    while let Some(record) = table.next()? {
        rows += 1;
        if rows < header {
            continue;
        }
        let cells = table.cells(&record);
        if rows == header {
            let cells = cells.map_err(|fault| Failure::check_failed(format!("the header: {}", fault.rule)))?;
            columns = cells.iter().map(|cell| Arc::from(trimmed(cell))).collect();
            each(Item::Header(columns.clone()))?;
            continue;
        }
        match cells {
            Ok(cells) if cells.iter().all(|cell| trimmed(cell).is_empty()) => {}
            Ok(cells) if cells.len() == columns.len() => each(Item::Row(row(&record, &columns, &cells)))?,
            Ok(cells) => {
                let fault = other_width(&record, cells.len(), columns.len());
                each(Item::Bad(record.line, fault, named_by(&columns, &cells)))?;
            }
            Err(fault) => each(Item::Bad(
                record.line,
                fault.up_to(record.line, record.last),
                Zeroizing::default(),
            ))?,
        }
    }
    Ok(())
}

fn row(record: &Record, columns: &[Arc<str>], cells: &[&str]) -> Row {
    let cell = |(name, cell): (&Arc<str>, &&str)| (Arc::clone(name), text_cell(cell));
    Row {
        line: record.line,
        cells: columns.iter().zip(cells).map(cell).collect(),
        canonical: None,
    }
}

/// Cells of a row of another width, as an object in JSON: those beyond the header are named by their place.
fn named_by(columns: &[Arc<str>], cells: &[&str]) -> Zeroizing<Vec<u8>> {
    let name = |(at, cell): (usize, &&str)| {
        let place = || format!("column {}", at + 1).into();
        (columns.get(at).map_or_else(place, Arc::clone), text_cell(cell))
    };
    let row = Row {
        line: 0,
        cells: cells.iter().enumerate().map(name).collect(),
        canonical: None,
    };
    row.text()
}

fn other_width(record: &Record, has: usize, columns: usize) -> Fault {
    let mut rule = format!("the row has {has} columns, the header {columns}");
    if record.last > record.line {
        rule.push_str(": a quotation mark may not be closed");
    }
    Fault::whole(rule).up_to(record.line, record.last)
}

/// A cell of text, without what spreadsheets put around numbers to keep them text.
pub(super) fn text_cell(cell: &str) -> Cell {
    let cell = trimmed(cell);
    if cell.is_empty() {
        return Cell::Nothing;
    }
    let formula = cell.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    let apostrophe = cell
        .strip_prefix('\'')
        .filter(|rest| rest.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let cell = formula.or(apostrophe).unwrap_or(cell);
    if is_rounded(cell) {
        let rule = "a number as a spreadsheet rounds it (1.38E+10): export the column as text";
        return Cell::unreadable(rule, cell);
    }
    Cell::Text(Submitted::new(cell.to_owned()))
}

/// White space, and a mark that stands where files were put together.
fn trimmed(cell: &str) -> &str {
    cell.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}

/// `1.38E+10`.
fn is_rounded(cell: &str) -> bool {
    let parts = cell.split_once("E+");
    parts.is_some_and(|(number, power)| {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits(power) && digits(&number.replacen('.', "", 1))
    })
}

/// One record: where its fields end in the buffer, and its lines.
struct Record {
    fields: usize,
    line: u64,
    last: u64,
    whole: bool,
    /// What is wrong with its quotation marks.
    marks: Option<&'static str>,
}

/// Rows, each no longer than the bound. The buffers never grow, so that no copy of a value is left behind.
struct Table {
    text: Text,
    reader: Reader,
    delimiter: u8,
    bytes: Zeroizing<Vec<u8>>,
    length: usize,
    ends: Vec<usize>,
    /// Line that the next byte is in.
    line: u64,
    /// The last byte was CR: a LF that follows is of the same line end.
    after_cr: bool,
}

impl Table {
    fn new(mut text: Text, delimiter: Option<char>, header: u64) -> Result<Self, Failure> {
        let first = text.fill().map_err(Failure::unavailable)?;
        let delimiter = delimiter.and_then(|named| u8::try_from(named).ok());
        let delimiter = delimiter.unwrap_or_else(|| found_out(first, header));
        Ok(Self {
            text,
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            delimiter,
            bytes: Zeroizing::new(vec![0; LONGEST]),
            length: 0,
            ends: vec![0; MOST_COLUMNS],
            line: 1,
            after_cr: false,
        })
    }

    /// The next record. One beyond the bound is given up, and reading goes on at the next line.
    fn next(&mut self) -> Result<Option<Record>, Failure> {
        self.bytes.get_mut(..self.length).unwrap_or_default().zeroize();
        self.length = 0;
        self.skip_empty_lines()?;
        let line = self.line;
        let mut fields = 0;
        let mut quotes = Quotes::new(self.delimiter);
        let mut at_end = false;
        loop {
            let input = self.text.fill().map_err(Failure::unavailable)?;
            let output = self.bytes.get_mut(self.length..).unwrap_or_default();
            let ends = self.ends.get_mut(fields..).unwrap_or_default();
            let (result, read, written, ended) = self.reader.read_record(input, output, ends);
            let taken = input.get(..read).unwrap_or_default();
            quotes.pass(taken);
            if let Some(byte) = taken.last() {
                at_end = matches!(byte, b'\n' | b'\r');
            }
            self.line += count_lines(taken, &mut self.after_cr);
            let last = (self.line - u64::from(at_end)).max(line);
            self.text.consume(read);
            self.length += written;
            fields += ended;
            let (last, whole) = match result {
                ReadRecordResult::InputEmpty => continue,
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => (self.give_up()?, false),
                ReadRecordResult::Record => (last, true),
                ReadRecordResult::End => return Ok(None),
            };
            return Ok(Some(Record {
                fields,
                line,
                last,
                whole,
                marks: quotes.fault(),
            }));
        }
    }

    fn skip_empty_lines(&mut self) -> Result<(), Failure> {
        loop {
            let input = self.text.fill().map_err(Failure::unavailable)?;
            let end = input.get(..1).unwrap_or_default();
            if !matches!(end, b"\n" | b"\r") {
                return Ok(());
            }
            self.line += count_lines(end, &mut self.after_cr);
            self.text.consume(1);
        }
    }

    /// Begins afresh behind the end of this line, whose number is returned.
    fn give_up(&mut self) -> Result<u64, Failure> {
        self.reader = ReaderBuilder::new().delimiter(self.delimiter).build();
        loop {
            let input = self.text.fill().map_err(Failure::unavailable)?;
            let line = self.line;
            if input.is_empty() {
                return Ok(line);
            }
            let end = input.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let taken = end.map_or(input.len(), |end| end + 1);
            self.line += count_lines(input.get(..taken).unwrap_or_default(), &mut self.after_cr);
            self.text.consume(taken);
            if end.is_some() {
                return Ok(line);
            }
        }
    }

    fn cells(&self, record: &Record) -> Result<Vec<&str>, Fault> {
        if !record.whole {
            return Err(Fault::whole(format!(
                "the row is longer than {LONGEST} bytes or {MOST_COLUMNS} columns: a quotation mark may not be closed"
            )));
        }
        if let Some(rule) = record.marks {
            return Err(Fault::whole(rule));
        }
        let all = std::str::from_utf8(self.bytes.get(..self.length).unwrap_or_default());
        let all = all.ok().filter(|text| !text.contains(REPLACEMENT));
        let other = || Fault::whole("not text in the file's encoding\n  name the right one with --encoding");
        let all = all.ok_or_else(other)?;
        let mut from = 0;
        let ends = self.ends.iter().take(record.fields);
        let cell = |end: &usize| all.get(std::mem::replace(&mut from, *end)..*end).ok_or_else(other);
        ends.map(cell).collect()
    }
}

/// Line ends in these bytes: LF, CR LF or CR.
fn count_lines(bytes: &[u8], after_cr: &mut bool) -> u64 {
    let mut lines = 0;
    for byte in bytes {
        let second = *byte == b'\n' && *after_cr;
        lines += u64::from(matches!(byte, b'\n' | b'\r') && !second);
        *after_cr = *byte == b'\r';
    }
    lines
}

/// What is most often between columns in the line that names them.
fn found_out(first: &[u8], header: u64) -> u8 {
    let lines = first.split(|byte| matches!(byte, b'\n' | b'\r'));
    let mut lines = lines.filter(|line| !line.is_empty());
    let above = usize::try_from(header.saturating_sub(1)).unwrap_or(usize::MAX);
    let line = lines.nth(above).unwrap_or_default();
    let count = |wanted: u8| line.iter().filter(|byte| **byte == wanted).count();
    let most = [b'\t', b';', b','].into_iter().max_by_key(|wanted| count(*wanted));
    most.unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::super::row::{Cell, Item, LONGEST};
    use super::super::text::Text;

    /// Each item in a few words: `line: cells`, or what is wrong.
    fn items(file: &[u8], header: u64) -> Vec<String> {
        let text = Text::open(Box::new(std::io::Cursor::new(file.to_vec())), None).unwrap();
        let mut items = Vec::new();
        let mut each = |item| {
            items.push(match item {
                Item::Header(columns) => columns.join("|"),
                Item::Row(row) => {
                    let cells: Vec<String> = row.cells.iter().map(|(_, cell)| spelled(cell)).collect();
                    format!("{}: {}", row.line, cells.join("|"))
                }
                Item::Bad(line, fault, _) => format!("{line}! {}", fault.rule),
            });
            Ok(())
        };
        assert!(super::read(text, None, header, &mut each).is_ok());
        items
    }

    fn spelled(cell: &Cell) -> String {
        match cell {
            Cell::Text(text) => text.expose().to_owned(),
            Cell::Unreadable(..) => "?".to_owned(),
            _ => String::new(),
        }
    }

    #[test]
    fn rows_are_read_as_spreadsheets_write_them() {
        let file = "\u{feff}编号,姓名 ,内容\r\n1,\"周,凤兰\",\"第一行\r\n\"\"第二行\"\"\"\r\n\r\n2,\t13812345678,=\"0571\"\r\n,,\r\n3,'0571,1.38E+10";
        assert_eq!(
            items(file.as_bytes(), 1),
            [
                "编号|姓名|内容",
                "2: 1|周,凤兰|第一行\r\n\"第二行\"",
                "5: 2|13812345678|0571",
                "7: 3|0571|?"
            ]
        );
        assert_eq!(items("a;b\n1;2\n".as_bytes(), 1), ["a|b", "2: 1|2"]);
        assert_eq!(items("a,b\r1,2\r\r3,4".as_bytes(), 1), ["a|b", "2: 1|2", "4: 3|4"]);
        assert_eq!(items("热线工单\na\tb\n1\t2\n".as_bytes(), 2)[1..], ["3: 1|2"]);
    }

    #[test]
    fn a_row_of_another_width_is_named_and_reading_goes_on() {
        let found = items(b"a,b\n1\n1,2,3\n\"x\ny\n1,2\n", 1);
        assert_eq!(found[1], "2! the row has 1 columns, the header 2");
        assert_eq!(found[2], "3! the row has 3 columns, the header 2");
        assert_eq!(found[3], "4! a quotation mark is not closed (lines 4 to 6)");
        let found = items(b"a,b\n\"x\ny\"\n1,2\n", 1);
        assert!(
            found[1].ends_with("a quotation mark may not be closed (lines 2 to 3)"),
            "{found:?}"
        );
        let found = items(b"a,b\n1,\xff\n1,2\n", 1);
        assert!(found[1].starts_with("2! not text"), "{found:?}");
        assert_eq!(found[2], "3: 1|2");
    }

    /// One mark too many or too few would make one call of several.
    #[test]
    fn a_row_whose_marks_do_not_match_is_refused_with_its_lines() {
        let found = items(b"a,b\n1,\"x\n2,\"y\",z\n3,w\n", 1);
        let stray = "2! a closing quotation mark is followed by other text (lines 2 to 3)";
        assert_eq!(found[1..], [stray, "4: 3|w"]);
        let found = items(b"a,b\n1,\"x\n2,y\n3,z\n", 1);
        assert_eq!(found[1..], ["2! a quotation mark is not closed (lines 2 to 4)"]);
        let found = items(b"a,b\n1,\"x\" \n2,y\"\n3,\"\"\n4,\"\"\"z\"\n", 1);
        let stray = "2! a closing quotation mark is followed by other text";
        assert_eq!(found[1..], [stray, "3: 2|y\"", "4: 3|", "5: 4|\"z"]);
    }

    #[test]
    fn a_row_beyond_the_bound_is_given_up() {
        let long = [b"a,b\n\"".as_slice(), &vec![b'x'; 2 * LONGEST], b"\n1,2\n"].concat();
        let found = items(&long, 1);
        assert!(found[1].starts_with("2! the row is longer than"), "{}", &found[1]);
        assert_eq!(found[2..], ["3: 1|2"]);
    }
}
