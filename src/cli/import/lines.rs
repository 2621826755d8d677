//! JSON lines: one record a line. Objects inside a record are spelled as paths, as in `caller.name`.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use zeroize::{Zeroize, Zeroizing};

use super::row::{Cell, Each, Fault, Item, LONGEST, Row, Stop};
use super::text::{REPLACEMENT, Text};
use crate::cli::Failure;
use crate::model::canonical::canonical;
use crate::model::submitted::Submitted;

/// Most bytes of a path, and most values of a record. What JSON spells in few bytes would else take memory without measure.
const LONGEST_PATH: usize = 256;
const MOST_CELLS: usize = 1024;
const MARK: &[u8] = "\u{feff}".as_bytes();

/// Reads them all.
pub(super) fn read(text: Text, passed_over: &HashSet<String>, each: Each<'_>) -> Result<(), Stop> {
    let mut lines = Lines::new(text);
    let mut first = true;
    while let Some((line, whole)) = lines.next()? {
        if !whole {
            let rule = format!("the line is longer than {LONGEST} bytes");
            each(Item::Bad(line, Fault::whole(rule), Zeroizing::default()))?;
            continue;
        }
        let bytes = bare(&lines.bytes);
        if bytes.is_empty() {
            continue;
        }
        if std::mem::take(&mut first) && bytes.starts_with(b"[") {
            let words =
                "the file is one JSON array, not JSON lines\n  write each record on a line of its own: jq -c '.[]'";
            return Err(Failure::check_failed(words).into());
        }
        each(match row(bytes, line, passed_over) {
            Ok(row) => Item::Row(row),
            Err(fault) => Item::Bad(line, fault, Zeroizing::new(bytes.to_vec())),
        })?;
    }
    Ok(())
}

/// A line without white space around it, and without marks, which files that were put together have inside.
fn bare(line: &[u8]) -> &[u8] {
    let mut bare = line.trim_ascii();
    while let Some(inside) = bare.strip_prefix(MARK).or_else(|| bare.strip_suffix(MARK)) {
        bare = inside.trim_ascii();
    }
    bare
}

/// Lines that end with LF, CR LF or CR, each no longer than the bound.
pub(super) struct Lines {
    text: Text,
    /// The line, without its end. It never grows, so that no copy of it is left behind.
    pub(super) bytes: Zeroizing<Vec<u8>>,
    number: u64,
    /// The last line ended with CR: a LF that follows is no line of its own.
    after_cr: bool,
}

impl Lines {
    pub(super) fn new(text: Text) -> Self {
        Self {
            text,
            bytes: Zeroizing::new(Vec::with_capacity(LONGEST)),
            number: 0,
            after_cr: false,
        }
    }

    /// The next line's number and whether `bytes` is the whole of it: one beyond the bound is passed over to its end.
    pub(super) fn next(&mut self) -> Result<Option<(u64, bool)>, Failure> {
        self.bytes.as_mut_slice().zeroize();
        self.bytes.clear();
        let (mut whole, mut begun) = (true, false);
        loop {
            let some = self.text.fill().map_err(Failure::unavailable)?;
            if some.is_empty() {
                self.number += u64::from(begun);
                return Ok(begun.then_some((self.number, whole)));
            }
            if std::mem::take(&mut self.after_cr) && some.starts_with(b"\n") {
                self.text.consume(1);
                continue;
            }
            begun = true;
            let end = some.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let part = some.get(..end.unwrap_or(some.len())).unwrap_or_default();
            whole &= self.bytes.len() + part.len() <= LONGEST;
            if whole {
                self.bytes.extend_from_slice(part);
            }
            self.after_cr = end.is_some_and(|end| some.get(end) == Some(&b'\r'));
            let taken = part.len() + usize::from(end.is_some());
            self.text.consume(taken);
            if end.is_some() {
                self.number += 1;
                return Ok(Some((self.number, whole)));
            }
        }
    }
}

fn row(bytes: &[u8], line: u64, passed_over: &HashSet<String>) -> Result<Row, Fault> {
    let text = std::str::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains(REPLACEMENT));
    let text =
        text.ok_or_else(|| Fault::whole("not text in the file's encoding\n  name the right one with --encoding"))?;
    let mut cells = Cells {
        all: Vec::with_capacity(32),
        beyond: None,
    };
    let mut json = serde_json::Deserializer::from_str(text);
    let object = Object {
        below: "",
        passed_over,
        cells: &mut cells,
    };
    // Messages may quote a value; the place does not.
    let broken = |error: serde_json::Error| Fault::whole(format!("not a record in JSON, at column {}", error.column()));
    let read = object.deserialize(&mut json);
    if let Some(rule) = cells.beyond {
        return Err(Fault::whole(rule));
    }
    read.map_err(broken)?;
    json.end().map_err(broken)?;
    let canonical = canonical(text.as_bytes()).map_err(|error| Fault::whole(error.to_string()))?;
    Ok(Row {
        line,
        cells: cells.all,
        canonical: Some(Zeroizing::new(canonical)),
    })
}

/// The values of a record, as far as they are within the bounds.
struct Cells {
    all: Vec<(Arc<str>, Cell)>,
    /// Which bound it goes beyond.
    beyond: Option<String>,
}

impl Cells {
    fn put<E: Error>(&mut self, path: String, cell: Cell) -> Result<(), E> {
        if self.all.len() >= MOST_CELLS {
            return self.refuse(format!("the record has more than {MOST_CELLS} values"));
        }
        self.all.push((path.into(), cell));
        Ok(())
    }

    fn refuse<E: Error>(&mut self, rule: String) -> Result<(), E> {
        self.beyond = Some(rule);
        Err(E::custom("beyond a bound"))
    }
}

/// Reads an object into cells.
struct Object<'o> {
    /// Its own path with a dot behind it; nothing for the record itself.
    below: &'o str,
    passed_over: &'o HashSet<String>,
    cells: &'o mut Cells,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if self.below.len() + key.len() > LONGEST_PATH {
                let rule = format!("a path of the record is longer than {LONGEST_PATH} bytes");
                return self.cells.refuse(rule);
            }
            let path = format!("{}{key}", self.below);
            if self.passed_over.contains(&path) {
                map.next_value::<IgnoredAny>()?;
                self.cells.put(path, Cell::Nothing)?;
                continue;
            }
            let value = Value {
                path,
                passed_over: self.passed_over,
                cells: self.cells,
            };
            map.next_value_seed(value)?;
        }
        Ok(())
    }
}

/// Reads a value: one cell, or those of an object.
struct Value<'o> {
    path: String,
    passed_over: &'o HashSet<String>,
    cells: &'o mut Cells,
}

impl Value<'_> {
    fn put<E: Error>(self, cell: Cell) -> Result<(), E> {
        self.cells.put(self.path, cell)
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.put(Cell::Nothing)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<(), E> {
        self.put(Cell::Truth(truth))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.put(Cell::Text(Submitted::new(number.to_string())))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.put(Cell::Text(Submitted::new(number.to_string())))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        let rule = "a number with a point or an exponent: write it as text";
        self.put(Cell::unreadable(rule, number.to_string()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.put(Cell::Text(Submitted::new(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<serde_json::Value>()? {
            list.push(item);
        }
        let text = serde_json::Value::Array(list).to_string();
        self.put(Cell::unreadable("must be one value, not a list", text))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let below = format!("{}.", self.path);
        let before = self.cells.all.len();
        let object = Object {
            below: &below,
            passed_over: self.passed_over,
            cells: self.cells,
        };
        object.visit_map(map)?;
        if self.cells.all.len() == before {
            return self.put(Cell::Nothing);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::io::{Cursor, Read};

    use super::super::row::{Cell, Item, LONGEST};
    use super::super::text::Text;
    use super::Lines;

    /// Each item in a few words: `line: path=value …`, or what is wrong.
    fn items(file: impl Into<Vec<u8>>) -> Vec<String> {
        let text = Text::open(Box::new(Cursor::new(file.into())), None).unwrap();
        let passed_over = HashSet::from(["spans".to_owned()]);
        let mut items = Vec::new();
        let mut each = |item| {
            items.push(match item {
                Item::Header(_) => unreachable!(),
                Item::Row(row) => {
                    let cells: Vec<String> = row.cells.iter().map(|(path, cell)| spelled(path, cell)).collect();
                    format!("{}: {}", row.line, cells.join(" "))
                }
                Item::Bad(line, fault, _) => format!("{line}! {}", fault.rule),
            });
            Ok(())
        };
        assert!(super::read(text, &passed_over, &mut each).is_ok());
        items
    }

    fn spelled(path: &str, cell: &Cell) -> String {
        match cell {
            Cell::Text(text) => format!("{path}={}", text.expose()),
            Cell::Truth(truth) => format!("{path}={truth}"),
            Cell::Unreadable(..) => format!("{path}=?"),
            _ => path.to_owned(),
        }
    }

    #[test]
    fn a_record_is_a_list_of_paths() {
        let record =
            r#"{"id":7,"a":{"b":"x","c":null,"d":{"e":true}},"f":1.5,"g":[1],"h":{},"spans":[{"text":"13812345678"}]}"#;
        assert_eq!(items(record), ["1: id=7 a.b=x a.c a.d.e=true f=? g=? h spans"]);
    }

    /// A key of half a line before each of many values would take their product in memory.
    #[test]
    fn a_record_beyond_the_bounds_is_refused() {
        let many = |count: usize| (0..count).map(|at| format!("\"{at}\":1")).collect::<Vec<_>>().join(",");
        let long = |bytes: usize| format!("{{\"{}\":{{{}}}}}", "k".repeat(bytes), many(3));
        let file = [
            format!("{{{}}}", many(1025)),
            long(255),
            long(254),
            format!("{{\"a\":{{{}}}}}", many(1024)),
        ];
        let found = items(file.join("\n"));
        assert_eq!(found[0], "1! the record has more than 1024 values");
        assert_eq!(found[1], "2! a path of the record is longer than 256 bytes");
        assert!(
            found[2].starts_with("3: k") && found[3].starts_with("4: a.0=1"),
            "{}",
            found[3]
        );
    }

    #[test]
    fn marks_and_every_line_end_are_taken() {
        let file = "\u{feff}{\"a\":\"1\"}\r\n\r\n\u{feff}{\"a\":\"2\"}\r{\"a\":\"3\"}\n\n{\"a\":\"4\"}";
        assert_eq!(items(file), ["1: a=1", "3: a=2", "4: a=3", "6: a=4"]);
    }

    #[test]
    fn what_is_no_record_is_named_by_place() {
        let found = items("nonsense 13812345678\n[]\n{\"a\":1,\"a\":1}\n{} {}\n\"x\"\n");
        let rules: Vec<&str> = found.iter().map(|found| found.split_once("! ").unwrap().1).collect();
        assert_eq!(rules[0], "not a record in JSON, at column 2");
        assert!(rules[2].starts_with("a name comes twice"), "{rules:?}");
        assert_eq!(rules.len(), 5);
        let other = items(b"{\"a\":\"\xff\"}\n{\"a\":\"2\"}".as_slice());
        assert!(other[0].starts_with("1! not text in the file's encoding"), "{other:?}");
        assert_eq!(other[1], "2: a=2");
    }

    #[test]
    fn a_json_array_has_one_message() {
        let text = Text::open(Box::new(Cursor::new(b" [\n{}]".to_vec())), None).unwrap();
        let read = super::read(text, &HashSet::new(), &mut |_| Ok(()));
        assert!(matches!(read, Err(super::Stop::Failure(failure)) if failure.words.contains("JSON array")));
    }

    /// The bound holds for lines of any length, without memory for them.
    #[test]
    fn a_line_beyond_the_bound_takes_no_memory() {
        let long = std::io::repeat(b'x').take(100 << 20);
        let file = Cursor::new(b"{\"a\":1}\n".to_vec())
            .chain(long)
            .chain(Cursor::new(b"\n{\"a\":2}".to_vec()));
        let mut lines = Lines::new(Text::open(Box::new(file), None).unwrap());
        let room = lines.bytes.capacity();
        let mut found = Vec::new();
        while let Some(next) = lines.next().unwrap() {
            found.push(next);
            assert_eq!(lines.bytes.capacity(), room);
        }
        assert_eq!(found, [(1, true), (2, false), (3, true)]);
        assert!(room < 2 * LONGEST);
    }
}
