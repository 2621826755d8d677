//! The mapping file: which column or path is what, labels, forms of dates, time zone.

use std::collections::BTreeMap;
use std::path::Path;

use encoding_rs::Encoding;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::dates::zone;
use crate::cli::Failure;

/// The map that the program ships with.
pub(super) const USUAL: &str = include_str!("usual.toml");

/// How a file's records are read. Its format is in docs/import.md.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Map {
    /// `jsonl`, `csv` or `xlsx`, where the file's name does not say it.
    pub(super) format: Option<Format>,
    /// A label of the Encoding Standard, such as `gb18030`.
    encoding: Option<String>,
    /// Between the columns of a CSV file; found out if left out.
    pub(super) delimiter: Option<char>,
    /// The sheet of a workbook; the only one with cells if left out.
    pub(super) sheet: Option<String>,
    /// The row that names the columns, from 1; rows before it are passed over.
    #[serde(default = "first_row")]
    pub(super) header: u64,
    /// The zone of times without an offset: `Asia/Shanghai` or `+08:00`.
    zone: Option<String>,
    /// Forms of times beside RFC 3339, as `strptime` has them; the usual ones if left out.
    #[serde(default)]
    pub(super) dates: Vec<String>,
    /// `content`: a record's id is the digest of what it states.
    pub(super) id: Option<IdFrom>,
    /// A spreadsheet has cut the 0 off area codes: a landline without one gets it back.
    #[serde(default)]
    pub(super) lost_zero: bool,
    #[serde(default)]
    pub(super) unknown: Unknown,
    /// Columns and paths that are passed over.
    #[serde(default)]
    pub(super) ignore: Vec<String>,
    /// Sources by target.
    pub(super) columns: BTreeMap<String, Sources>,
    /// The vault's word by a file's, by target.
    #[serde(default)]
    pub(super) labels: BTreeMap<String, BTreeMap<String, String>>,
    /// What every record states, by target.
    #[serde(default)]
    pub(super) constants: BTreeMap<String, String>,
}

const fn first_row() -> u64 {
    1
}

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// One JSON object per line.
    Jsonl,
    /// RFC 4180, also with `;` or tabs.
    Csv,
    /// An Office Open XML workbook.
    Xlsx,
}

/// What to do with columns and keys that the map does not name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum Unknown {
    /// Reject the record; reject a whole table that has such a column.
    #[default]
    Refuse,
    /// Import the record without them; the summary names and counts them.
    List,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum IdFrom {
    Content,
}

/// One source, or several of which the first that is there counts.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Sources {
    One(String),
    Several(Vec<String>),
}

impl Sources {
    pub(super) fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(several) => several,
        }
    }
}

impl Map {
    /// The map that the program ships with.
    pub(super) fn usual() -> Result<Self, Failure> {
        parsed(USUAL).map_err(|why| Failure::usage(format!("the usual map: {why}")))
    }

    /// A map from a file. Labels of the usual map hold beside its own.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::unavailable(format!("{}: {error}", path.display())))?;
        let mut map = parsed(&text).map_err(|why| Failure::usage(format!("{}: {why}", path.display())))?;
        for (target, usual) in Self::usual()?.labels {
            let own = map.labels.entry(target).or_default();
            for (label, word) in usual {
                own.entry(label).or_insert(word);
            }
        }
        Ok(map)
    }

    /// The encoding that it names.
    pub(super) fn encoding(&self) -> Result<Option<&'static Encoding>, Failure> {
        self.encoding.as_deref().map(encoding).transpose()
    }

    /// The zone that it names.
    pub(super) fn zone(&self) -> Result<Option<TimeZone>, Failure> {
        self.zone.as_deref().map(zone).transpose()
    }
}

/// The encoding of that name.
pub(super) fn encoding(name: &str) -> Result<&'static Encoding, Failure> {
    let unknown = || {
        Failure::usage(format!(
            "unknown encoding {name}\n  give utf-8, gb18030, utf-16le or utf-16be, for example"
        ))
    };
    Encoding::for_label(name.as_bytes()).ok_or_else(unknown)
}

fn parsed(text: &str) -> Result<Map, String> {
    let map: Map = toml::from_str(text).map_err(|error| error.to_string())?;
    if map.header == 0 {
        return Err("header must be at least 1".to_owned());
    }
    if map.delimiter.is_some_and(|delimiter| !delimiter.is_ascii()) {
        return Err("the delimiter must be one ASCII character".to_owned());
    }
    Ok(map)
}
