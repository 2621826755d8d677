//! XLSX: a row of a sheet that names the columns, then one record a row. The library that reads workbooks keeps all texts of
//! a workbook in memory, and does not wipe them.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use calamine::{DataRef, ExcelDateTime, Reader, Xlsx, XlsxError};
use jiff::civil::DateTime;
use zeroize::Zeroizing;
use zip::ZipArchive;

use super::row::{Cell, Each, Fault, Item, LONGEST, Row, Stop, named};
use super::table::text_cell;
use crate::cli::Failure;

/// Most bytes that a workbook may unpack to.
const LARGEST: u64 = 1 << 30;
const MOST_COLUMNS: u32 = 1024;
/// Bytes in which the element must stand that says how many texts a workbook has.
const HEAD: usize = 64 * 1024;
/// A byte that is packed unpacks to no more than these.
const MOST_INFLATED: u64 = 1032;
const DAMAGED: &str = "the workbook is damaged";
/// A spreadsheet keeps so many digits of a number.
const EXACT: f64 = 1e15;

/// Reads a sheet's rows. `header` is the number of the row that names the columns.
pub(super) fn read(mut file: impl Read + Seek, sheet: Option<&str>, header: u64, each: Each<'_>) -> Result<(), Stop> {
    check_size(&mut file)?;
    let mut book: Xlsx<_> = Xlsx::new(file).map_err(|error| broken(&error))?;
    let names = book.sheet_names();
    let name = match sheet {
        Some(name) => name.to_owned(),
        None => only_sheet(&mut book, &names)?,
    };
    if !names.contains(&name) {
        return Err(Failure::usage("the workbook has no sheet of that name\n  name one of its sheets").into());
    }
    let mut cells = book.worksheet_cells_reader(&name).map_err(|error| broken(&error))?;
    let mut rows = Rows::new(header, each);
    while let Some(cell) = cells.next_cell().map_err(|error| broken(&error))? {
        let (row, column) = cell.get_position();
        rows.put(row, column, cell.get_value())?;
    }
    rows.finish()
}

/// The sheet that has cells. Where several have, one must be named: what is on the others would be lost without a word.
fn only_sheet<R: Read + Seek>(book: &mut Xlsx<R>, names: &[String]) -> Result<String, Failure> {
    let mut filled = Vec::new();
    for name in names {
        if has_cells(book, name)? {
            filled.push(name);
        }
    }
    let first = names
        .first()
        .ok_or_else(|| Failure::check_failed("the workbook has no sheet"))?;
    if filled.len() > 1 {
        let filled: Vec<String> = filled.iter().map(|name| named(name)).collect();
        return Err(Failure::usage(format!(
            "more than one sheet has cells: {}\n  name one with --sheet, or with sheet in the map; import each in a run of its own",
            filled.join(", ")
        )));
    }
    Ok((*filled.first().unwrap_or(&first)).clone())
}

fn has_cells<R: Read + Seek>(book: &mut Xlsx<R>, name: &str) -> Result<bool, Failure> {
    let mut cells = match book.worksheet_cells_reader(name) {
        Ok(cells) => cells,
        // A chart.
        Err(XlsxError::NotAWorksheet(_) | XlsxError::WorksheetNotFound(_)) => return Ok(false),
        Err(error) => return Err(broken(&error)),
    };
    while let Some(cell) = cells.next_cell().map_err(|error| broken(&error))? {
        if !matches!(read_cell(cell.get_value()), Cell::Nothing) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn check_size(file: &mut (impl Read + Seek)) -> Result<(), Failure> {
    let length = file.seek(SeekFrom::End(0)).map_err(Failure::unavailable)?;
    let mut archive =
        ZipArchive::new(&mut *file).map_err(|_| Failure::check_failed("the file is not an XLSX workbook"))?;
    let mut size = 0_u64;
    let mut texts = Vec::new();
    for index in 0..archive.len() {
        let part = archive
            .by_index_raw(index)
            .map_err(|_| Failure::check_failed(DAMAGED))?;
        size = size.saturating_add(part.size());
        let name = part.name().map_err(|_| Failure::check_failed(DAMAGED))?;
        if name.to_ascii_lowercase().ends_with("sharedstrings.xml") {
            texts.push(index);
        }
    }
    if size > LARGEST {
        return Err(Failure::check_failed(format!(
            "the workbook unpacks to more than {LARGEST} bytes\n  save its sheet as CSV"
        )));
    }
    for index in texts {
        let part = archive.by_index(index).map_err(|_| Failure::check_failed(DAMAGED))?;
        let most = part.size().min(length.saturating_mul(MOST_INFLATED));
        check_count(part, most)?;
    }
    drop(archive);
    file.rewind().map_err(Failure::unavailable)
}

/// The library makes room for as many texts as the part says that it has, before it reads one: no more than it has bytes.
fn check_count(part: impl Read, most: u64) -> Result<(), Failure> {
    let mut head = Zeroizing::new(Vec::with_capacity(HEAD));
    let length = u64::try_from(HEAD).unwrap_or(u64::MAX);
    part.take(length)
        .read_to_end(&mut head)
        .map_err(|_| Failure::check_failed(DAMAGED))?;
    let head = String::from_utf8_lossy(&head).replace('\0', "");
    let (before, _) = head.split_once("sst").ok_or_else(|| Failure::check_failed(DAMAGED))?;
    // Nothing but a declaration: in a comment a false element could stand before the true one.
    let declared = before.matches("<?").count() <= before.matches("?>").count();
    let counts = head.split("ount").skip(1).filter_map(attribute);
    let beyond = |count: &str| {
        count
            .trim()
            .parse::<u64>()
            .map_or(!count.trim().is_empty(), |count| count > most)
    };
    if !declared || before.contains("<!") || before.matches("<?").count() > 1 || counts.clone().any(beyond) {
        return Err(Failure::check_failed(DAMAGED));
    }
    Ok(())
}

/// The value of an attribute whose name has just ended.
fn attribute(rest: &str) -> Option<&str> {
    let value = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value.get(1..)?.split(quote).next()
}

/// Kinds of faults only: a message may quote what stands in the sheet.
fn broken(error: &XlsxError) -> Failure {
    Failure::check_failed(match error {
        XlsxError::Password => "the workbook is protected by a password\n  save a copy without one",
        _ => "the workbook is damaged or of an unknown kind\n  save it again as XLSX, or as CSV",
    })
}

/// Gathers cells into rows.
struct Rows<'e> {
    header: u64,
    columns: BTreeMap<u32, Arc<str>>,
    each: Each<'e>,
    /// Number of the row that is gathered, from 1.
    number: u64,
    cells: Vec<(u32, Cell)>,
    length: usize,
    wide: bool,
}

impl<'e> Rows<'e> {
    fn new(header: u64, each: Each<'e>) -> Self {
        Self {
            header,
            columns: BTreeMap::new(),
            each,
            number: 0,
            cells: Vec::new(),
            length: 0,
            wide: false,
        }
    }

    fn put(&mut self, row: u32, column: u32, value: &DataRef<'_>) -> Result<(), Stop> {
        let number = u64::from(row) + 1;
        if number != self.number {
            self.end_row()?;
            self.number = number;
        }
        if matches!(value, DataRef::Empty) || number < self.header {
            return Ok(());
        }
        self.length += text_of(value).len();
        self.wide |= column >= MOST_COLUMNS;
        if self.length <= LONGEST && !self.wide {
            self.cells.push((column, read_cell(value)));
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Stop> {
        let cells = std::mem::take(&mut self.cells);
        let length = std::mem::take(&mut self.length);
        let wide = std::mem::take(&mut self.wide);
        let stated = cells.iter().any(|(_, cell)| !matches!(cell, Cell::Nothing));
        if self.number < self.header || !(stated || wide || length > LONGEST) {
            return Ok(());
        }
        if wide || length > LONGEST {
            let rule = format!("the row is longer than {LONGEST} bytes or {MOST_COLUMNS} columns");
            return (self.each)(Item::Bad(self.number, Fault::whole(rule), Zeroizing::default()));
        }
        if self.columns.is_empty() {
            return self.name_columns(&cells);
        }
        let mut named = Vec::with_capacity(cells.len());
        let mut nameless = None;
        for (column, cell) in cells {
            match self.columns.get(&column) {
                Some(name) => named.push((Arc::clone(name), cell)),
                None if matches!(cell, Cell::Nothing) => {}
                None => {
                    let name = format!("column {}", column + 1);
                    nameless.get_or_insert_with(|| format!("{name} has a value but no name in the header"));
                    named.push((name.into(), cell));
                }
            }
        }
        let row = Row {
            line: self.number,
            cells: named,
            canonical: None,
        };
        (self.each)(match nameless {
            Some(rule) => Item::Bad(row.line, Fault::whole(rule), row.text()),
            None => Item::Row(row),
        })
    }

    fn name_columns(&mut self, cells: &[(u32, Cell)]) -> Result<(), Stop> {
        for (column, cell) in cells {
            if let Cell::Text(name) = cell {
                self.columns.insert(*column, Arc::from(name.expose()));
            }
        }
        (self.each)(Item::Header(self.columns.values().cloned().collect()))
    }

    fn finish(mut self) -> Result<(), Stop> {
        self.end_row()
    }
}

fn text_of<'v>(value: &'v DataRef<'_>) -> &'v str {
    match value {
        DataRef::String(text) | DataRef::DateTimeIso(text) => text,
        DataRef::SharedString(text) => text,
        _ => "",
    }
}

fn read_cell(value: &DataRef<'_>) -> Cell {
    match value {
        DataRef::String(text) | DataRef::DateTimeIso(text) => text_cell(text),
        DataRef::SharedString(text) => text_cell(text),
        DataRef::Int(number) => text_cell(&number.to_string()),
        DataRef::Float(number) => read_number(*number),
        DataRef::Bool(truth) => Cell::Truth(*truth),
        DataRef::DateTime(date) => read_date(date),
        DataRef::DurationIso(text) => Cell::unreadable("a duration", text.as_str()),
        DataRef::Error(error) => Cell::unreadable("an error of the spreadsheet", error.to_string()),
        DataRef::Empty => Cell::Nothing,
    }
}

/// Numbers of telephones and the like, which a spreadsheet keeps as such where nobody told it otherwise.
fn read_number(number: f64) -> Cell {
    if number.abs() >= EXACT {
        let rule = "a number of more than 15 digits, which a spreadsheet rounds: format the column as text";
        return Cell::unreadable(rule, number.to_string());
    }
    text_cell(&number.to_string())
}

fn read_date(date: &ExcelDateTime) -> Cell {
    let no_date = Cell::unreadable("not a date", date.as_f64().to_string());
    if !date.is_datetime() || date.as_f64() < 1.0 {
        return no_date;
    }
    let (year, month, day, hour, minute, second, milli) = date.to_ymd_hms_milli();
    let small = |number: u8| i8::try_from(number).unwrap_or(-1);
    let year = i16::try_from(year).unwrap_or(-1);
    let nanos = i32::from(milli) * 1_000_000;
    let local = DateTime::new(
        year,
        small(month),
        small(day),
        small(hour),
        small(minute),
        small(second),
        nanos,
    );
    local.map_or(no_date, Cell::Local)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::super::row::Stop;
    use super::{check_count, read};

    /// A thousand bytes would make the program ask for terabytes.
    #[test]
    fn a_workbook_with_such_a_count_is_refused_before_it_is_opened() {
        let mut book = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        book.start_file("xl/SharedStrings.xml", options).unwrap();
        book.write_all(b"<sst uniqueCount=\"100000000000\"></sst>").unwrap();
        let book = book.finish().unwrap();
        let refused = read(book, None, 1, &mut |_| Ok(()));
        assert!(matches!(refused, Err(Stop::Failure(failure)) if failure.words == super::DAMAGED));
    }

    #[test]
    fn a_count_of_texts_beyond_their_bytes_is_refused() {
        let head = |attributes: &str| {
            format!("<?xml version=\"1.0\"?>\n<sst xmlns=\"urn:2006\" {attributes}><si><t>a</t></si>")
        };
        let check = |text: String| check_count(text.as_bytes(), 100).is_ok();
        for good in ["", "count=\"100\" uniqueCount=\"7\"", "count = '1'"] {
            assert!(check(head(good)), "{good}");
        }
        for bad in [
            "uniqueCount=\"101\"",
            "count='100000000000'",
            "uniqueCount = \"99999999999999999999999\"",
        ] {
            assert!(!check(head(bad)), "{bad}");
        }
        for hidden in ["<!-- <sst> -->", "<?x <sst ?>"] {
            assert!(!check(format!("{hidden}{}", head(""))), "{hidden}");
        }
        assert!(!check("<x/>".to_owned()));
    }
}
