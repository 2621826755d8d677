//! Where records come from: files or standard input, in one of three formats.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use encoding_rs::Encoding;
use indicatif::ProgressBar;
use zeroize::Zeroizing;

use super::map::Format;
use super::row::{Each, Stop};
use super::text::Text;
use super::{lines, sheet, table};
use crate::cli::Failure;

/// Most bytes of a workbook on standard input, which is kept in memory.
const LARGEST_PIPED: u64 = 256 << 20;
const WORKBOOK: &[u8] = b"PK\x03\x04";
const OLD_WORKBOOK: &[u8] = b"\xd0\xcf\x11\xe0";
const GZIP: &[u8] = b"\x1f\x8b";

/// A file, or standard input.
#[derive(Clone)]
pub(super) enum Source {
    Stdin,
    File(PathBuf),
    /// Lines that the program ships with.
    Shipped(&'static str),
}

/// How it is to be read, where it is not found out.
#[derive(Clone)]
pub(super) struct Reading {
    pub(super) format: Option<Format>,
    pub(super) encoding: Option<&'static Encoding>,
    pub(super) delimiter: Option<char>,
    pub(super) sheet: Option<String>,
    pub(super) header: u64,
}

/// How a file was read.
pub(super) struct Found {
    pub(super) format: Format,
    pub(super) encoding: Option<&'static Encoding>,
}

impl Source {
    pub(super) fn new(path: &Path) -> Self {
        if path == Path::new("-") {
            Self::Stdin
        } else {
            Self::File(path.to_owned())
        }
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Stdin => "standard input".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Shipped(_) => "the calls of the demo".to_owned(),
        }
    }

    /// Bytes; 0 where nobody knows.
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::File(path) => std::fs::metadata(path).map_or(0, |file| file.len()),
            _ => 0,
        }
    }

    fn open(&self, bar: &ProgressBar) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Stdin => Box::new(io::stdin()),
            Self::File(path) => Box::new(bar.wrap_read(File::open(path)?)),
            Self::Shipped(text) => Box::new(text.as_bytes()),
        })
    }

    /// Reads every record. `known` hears, before the first, how the file is read.
    pub(super) fn read(
        &self,
        reading: &Reading,
        passed_over: &HashSet<String>,
        bar: &ProgressBar,
        known: &mut dyn FnMut(Found),
        each: Each<'_>,
    ) -> Result<(), Stop> {
        let mut input = self.open(bar).map_err(Failure::unavailable)?;
        let mut first = Vec::with_capacity(WORKBOOK.len());
        let length = WORKBOOK.len() as u64;
        input
            .by_ref()
            .take(length)
            .read_to_end(&mut first)
            .map_err(Failure::unavailable)?;
        if first.starts_with(WORKBOOK) {
            self.check_format(reading, true)?;
            known(Found {
                format: Format::Xlsx,
                encoding: None,
            });
            return self.workbook(reading, first, input, each);
        }
        self.check_format(reading, false)?;
        let refused = [
            (OLD_WORKBOOK, "an old workbook (.xls)\n  save it as XLSX or CSV"),
            (GZIP, "compressed\n  unpack it: gzip -dc FILE | callervault import … -"),
        ];
        if let Some((_, words)) = refused.iter().find(|(mark, _)| first.starts_with(mark)) {
            return Err(Failure::check_failed(format!("the file is {words}")).into());
        }
        let mut text = Text::open(Box::new(Cursor::new(first).chain(input)), reading.encoding)?;
        let format = self.format(reading, &mut text)?;
        known(Found {
            format,
            encoding: Some(text.encoding()),
        });
        match format {
            Format::Jsonl => lines::read(text, passed_over, each),
            _ => table::read(text, reading.delimiter, reading.header, each),
        }
    }

    fn check_format(&self, reading: &Reading, workbook: bool) -> Result<(), Failure> {
        match reading.format.or_else(|| self.by_name()) {
            Some(Format::Xlsx) if !workbook => Err(Failure::check_failed("the file is not an XLSX workbook")),
            Some(Format::Jsonl | Format::Csv) if workbook => Err(Failure::check_failed(
                "the file is an XLSX workbook, or compressed\n  give --format xlsx, or unpack it",
            )),
            _ => Ok(()),
        }
    }

    fn by_name(&self) -> Option<Format> {
        let Self::File(path) = self else { return None };
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "jsonl" | "ndjson" | "json" => Some(Format::Jsonl),
            "csv" | "tsv" => Some(Format::Csv),
            "xlsx" => Some(Format::Xlsx),
            _ => None,
        }
    }

    /// As told, by the file's name, or by its first character.
    fn format(&self, reading: &Reading, text: &mut Text) -> Result<Format, Failure> {
        if let Some(format) = reading.format.or_else(|| self.by_name()) {
            return Ok(format);
        }
        let first = text.fill().map_err(Failure::unavailable)?;
        let json = matches!(first.trim_ascii_start().first(), Some(b'{' | b'[') | None);
        Ok(if json { Format::Jsonl } else { Format::Csv })
    }

    fn workbook(
        &self,
        reading: &Reading,
        first: Vec<u8>,
        input: Box<dyn Read + Send>,
        each: Each<'_>,
    ) -> Result<(), Stop> {
        let sheet = reading.sheet.as_deref();
        if let Self::File(path) = self {
            let file = io::BufReader::new(File::open(path).map_err(Failure::unavailable)?);
            return sheet::read(file, sheet, reading.header, each);
        }
        let mut bytes = Zeroizing::new(first);
        input
            .take(LARGEST_PIPED)
            .read_to_end(&mut bytes)
            .map_err(Failure::unavailable)?;
        if bytes.len() as u64 >= LARGEST_PIPED {
            let words = format!("a workbook on standard input has at most {LARGEST_PIPED} bytes\n  name it as a file");
            return Err(Failure::check_failed(words).into());
        }
        sheet::read(Cursor::new(&**bytes), sheet, reading.header, each)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::super::row::{Item, LONGEST, Stop};
    use super::super::text::Text;
    use super::super::{lines, sheet, table};

    /// What is longer than the bound, or has a line of its own twice.
    fn check(item: &Item, last: &mut u64) {
        let line = match item {
            Item::Header(_) => return,
            Item::Row(row) => row.line,
            Item::Bad(line, _, text) => {
                assert!(text.len() <= 8 * LONGEST);
                *line
            }
        };
        assert!(line > *last, "lines go up");
        *last = line;
    }

    /// Pieces that files are made of, and others.
    fn files() -> impl Strategy<Value = Vec<u8>> {
        let pieces = prop_oneof![
            Just(b"{\"id\":\"1\",\"a\":{\"b\":null}}".to_vec()),
            Just(b"\r\n".to_vec()),
            Just(b"\r".to_vec()),
            Just(b"\n".to_vec()),
            Just(b"\"".to_vec()),
            Just(b",".to_vec()),
            Just("\u{feff}".as_bytes().to_vec()),
            Just("编号,内容".as_bytes().to_vec()),
            Just(b"\xb1\xe0\xba\xc5,\xc4\xda\xc8\xdd".to_vec()),
            Just(b"\0".to_vec()),
            Just(b"PK\x03\x04".to_vec()),
            proptest::collection::vec(any::<u8>(), 0..8),
        ];
        proptest::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_file_is_too_strange_to_read(file in files()) {
            let open = || Text::open(Box::new(Cursor::new(file.clone())), None);
            let mut last = 0;
            let mut each = |item: Item| -> Result<(), Stop> {
                check(&item, &mut last);
                Ok(())
            };
            if let Ok(text) = open() {
                let _ = lines::read(text, &HashSet::new(), &mut each);
            }
            let mut last = 0;
            let mut each = |item: Item| -> Result<(), Stop> {
                check(&item, &mut last);
                Ok(())
            };
            if let Ok(text) = open() {
                let _ = table::read(text, None, 1, &mut each);
            }
            let _ = sheet::read(Cursor::new(&file), None, 1, &mut |_| Ok(()));
        }
    }
}
