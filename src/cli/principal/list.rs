//! A list of people: CSV (RFC 4180) with the columns `name`, `department`, `roles` and perhaps `kind`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use csv::StringRecord;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::Failure;
use crate::model::principals::{PrincipalKind, Role, Roles};
use crate::model::reference::DepartmentCode;

/// Most accounts of one list.
const MOST: usize = 10_000;
/// What spreadsheets put in front of UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// What a line must be.
const COLUMNS: &str = "the columns must be name, department, roles and optionally kind, each once, separated by commas";

/// A line of the file. Roles stand in one column, with blanks between.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    department: String,
    roles: String,
    kind: Option<String>,
}

/// An account to be made.
pub(super) struct Account {
    /// Where in the file, from 1; the header is the first.
    pub(super) line: u64,
    pub(super) name: String,
    pub(super) department: DepartmentCode,
    pub(super) roles: Roles,
    kind: PrincipalKind,
}

impl Account {
    /// What is sent, the same each time: an approval is for this very body.
    pub(super) fn body(&self) -> Value {
        let roles: Vec<&str> = self.roles.iter().map(Role::as_str).collect();
        json!({"name": self.name, "department": self.department, "roles": roles, "kind": self.kind})
    }

    /// What a request to make it is about, as the server tells it.
    pub(super) fn about(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("account", self.name.clone()),
            ("department", self.department.to_string()),
            ("kind", self.kind.to_string()),
            ("roles", self.roles.to_words()),
        ])
    }

    fn new(line: u64, read: Line) -> Result<Self, &'static str> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
        if !(2..=64).contains(&read.name.len()) || !read.name.chars().all(fits) {
            return Err("`name` must have 2 to 64 characters: a-z, 0-9, '.', '_' and '-'");
        }
        let department = read.department.parse();
        let roles: Option<Vec<Role>> = read.roles.split_whitespace().map(Role::from_word).collect();
        let roles = roles.ok_or("`roles` has an unknown role")?;
        let kind = read.kind.filter(|kind| !kind.is_empty());
        let kind = kind.map_or(Some(PrincipalKind::Person), |kind| PrincipalKind::from_word(&kind));
        Ok(Self {
            line,
            name: read.name,
            department: department.map_err(|_| "`department` is not a department code")?,
            roles: Roles::new(roles).map_err(|_| "`roles` is empty, or has a role that excludes the others")?,
            kind: kind.ok_or("`kind` must be person or service")?,
        })
    }
}

/// The accounts of a file.
///
/// # Errors
/// Every line that is none, by its number, before anything is sent.
pub(super) fn read(file: &Path) -> Result<Vec<Account>, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("{}: {error}\n  save the list as CSV in UTF-8", file.display())))?;
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let (mut accounts, mut wrong, mut names) = (Vec::new(), Vec::new(), BTreeSet::new());
    let header = reader
        .headers()
        .cloned()
        .map_err(|error| Failure::check_failed(misread(&error)))?;
    let mut lines = Lines { text, at: 0, line: 1 };
    for record in reader.records() {
        match account(record, &header, &mut lines) {
            Ok(account) if names.insert(account.name.clone()) => accounts.push(account),
            Ok(account) => wrong.push(format!("line {}: an earlier line has the same `name`", account.line)),
            Err(words) => wrong.push(words),
        }
    }
    if accounts.len() > MOST {
        wrong.push(format!("a list can have at most {MOST} accounts"));
    }
    if wrong.is_empty() {
        return Ok(accounts);
    }
    Err(Failure::check_failed(format!(
        "{}: nothing was sent\n  {}",
        file.display(),
        wrong.join("\n  ")
    )))
}

/// Where records stand. The parser says after which byte one begins, and counts the end of the line before it or not.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the record that begins at this byte or after ends of lines there, which lies after the last one asked for.
    fn of(&mut self, byte: usize) -> u64 {
        let bytes = self.text.as_bytes();
        let ends = bytes
            .iter()
            .skip(byte)
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        let to = byte + ends;
        let passed = bytes.get(self.at..to).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = to;
        self.line
    }
}

fn account(
    record: Result<StringRecord, csv::Error>,
    header: &StringRecord,
    lines: &mut Lines<'_>,
) -> Result<Account, String> {
    let record = record.map_err(|error| misread(&error))?;
    let byte = record.position().map_or(0, csv::Position::byte);
    let line = lines.of(usize::try_from(byte).unwrap_or_default());
    let read: Line = record
        .deserialize(Some(header))
        .map_err(|_| format!("line {line}: {COLUMNS}"))?;
    Account::new(line, read).map_err(|rule| format!("line {line}: {rule}"))
}

/// What a line lacks, without what stands in it.
fn misread(error: &csv::Error) -> String {
    let line = error.position().map_or(1, csv::Position::line);
    format!("line {line}: {COLUMNS}")
}
