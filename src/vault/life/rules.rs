//! The rules in force: field declarations and policies, from a directory or as shipped.
//!
//! Whoever may write these files decides who sees what. So nobody but the owner may write them or their directory, a directory
//! that was named must be there, and a file in it that is none of ours is an error: a misspelt name would leave the shipped rules
//! in force in silence.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::model::fields::{FieldSet, Words};
use crate::model::limits::Limits;
use crate::policy::Policy;
use crate::vault::life::open::{OpenError, Places};

const FIELDS: &str = "fields.toml";
const LIMITS: &str = "limits.toml";
const POLICIES: &str = "need-to-know.cedar";
const SCHEMA: &str = "schema.cedarschema";
const WORDS: &str = "words.toml";
const FILES: [&str; 5] = [FIELDS, LIMITS, POLICIES, SCHEMA, WORDS];
/// Write permission of group and others.
const WRITABLE: u32 = 0o022;
const ROOT: u32 = 0;

/// Why the files are not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFiles {
    /// The directory that was named is not there.
    #[error("there is no directory of policies at {0}\n  name the right one, or leave `--policies` out")]
    Missing(PathBuf),
    /// Somebody else than the owner may write it.
    #[error("others than the owner may write {0}, which decides who sees what\n  chmod go-w it")]
    Writable(PathBuf),
    /// It belongs to somebody else than root and whoever runs the program.
    #[error("{0} belongs to another user\n  it must belong to root or to the user who runs callervault")]
    Foreign(PathBuf),
    /// A name that means nothing here.
    #[error("{} is no file of policies\n  the names are {}; rename it or take it away", .0.display(),
                FILES.join(", "))]
    Unknown(PathBuf),
    /// It cannot be read: the system's words.
    #[error("{0} cannot be read: {1}\n  make it readable to the user who runs callervault")]
    Unreadable(PathBuf, String),
}

/// Rules as they are in force.
pub(in crate::vault) struct Rules {
    pub(in crate::vault) fields: FieldSet,
    pub(in crate::vault) policy: Policy,
    pub(in crate::vault) limits: Limits,
}

/// Reads them: those in the directory, and those that are not there as shipped.
pub(in crate::vault) fn load(places: &Places) -> Result<Rules, OpenError> {
    check_directory(places)?;
    let text = |name, shipped: &str| read(&places.policies.join(name), shipped);
    let declarations = text(FIELDS, FieldSet::SHIPPED)?;
    let words = text(WORDS, Words::SHIPPED)?;
    let fields = FieldSet::load(&declarations)?.with_words(Words::load(&words)?);
    fields.check_named()?;
    let limited = text(LIMITS, Limits::SHIPPED)?;
    let limits = Limits::load(&limited)?;
    let policies = text(POLICIES, Policy::SHIPPED_POLICIES)?;
    let schema = text(SCHEMA, Policy::SHIPPED_SCHEMA)?;
    let policy = Policy::load(&policies, &schema, &fields, &[&declarations, &limited, &words])?;
    tracing::info!(policy = %policy.hash(), "the rules in force: SHA-256 over policies, schema, fields, limits and words");
    Ok(Rules { fields, policy, limits })
}

/// The declared fields alone, where no vault is opened: those in the directory, or as shipped.
///
/// # Errors
/// As those of opening a vault there.
pub fn declared_fields(places: &Places) -> Result<FieldSet, OpenError> {
    check_directory(places)?;
    let declarations = read(&places.policies.join(FIELDS), FieldSet::SHIPPED)?;
    let words = read(&places.policies.join(WORDS), Words::SHIPPED)?;
    Ok(FieldSet::load(&declarations)?.with_words(Words::load(&words)?))
}

fn check_directory(places: &Places) -> Result<(), BadFiles> {
    let directory = &places.policies;
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound && !places.policies_named => return Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(BadFiles::Missing(directory.clone())),
        Err(error) => return Err(unreadable(directory, &error)),
    };
    safe(directory)?;
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(directory, &error))?;
        let known = FILES.iter().any(|file| entry.file_name() == *file);
        if !known {
            return Err(BadFiles::Unknown(entry.path()));
        }
        safe(&entry.path())?;
    }
    Ok(())
}

fn safe(path: &Path) -> Result<(), BadFiles> {
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if metadata.mode() & WRITABLE != 0 {
        return Err(BadFiles::Writable(path.to_owned()));
    }
    let own = rustix::process::geteuid().as_raw();
    if metadata.uid() != own && metadata.uid() != ROOT {
        return Err(BadFiles::Foreign(path.to_owned()));
    }
    Ok(())
}

fn read(path: &Path, shipped: &str) -> Result<String, BadFiles> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(shipped.to_owned()),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> BadFiles {
    BadFiles::Unreadable(path.to_owned(), error.to_string())
}
