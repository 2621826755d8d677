//! The rules in force: field declarations, lists and policies, from a directory or as shipped.
//!
//! Whoever may write these files decides who sees what. So nobody but the owner may write them or their directory, a directory
//! that was named must be there, and a file in it that is none of ours is an error: a misspelt name would leave the shipped rules
//! in force in silence.

use std::fs::{File, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rustix::fs::{Mode, OFlags};

use crate::keyring::Keyring;
use crate::log::{Change, Unasked, leaf};
use crate::model::deadlines::{Deadlines, Holidays};
use crate::model::fields::{FieldSet, Words};
use crate::model::limits::Limits;
use crate::model::lists::Lists;
use crate::model::reference::DepartmentCode;
use crate::model::retention::RetentionPeriods;
use crate::model::word_enum::word_enum;
use crate::policy::Policy;
use crate::policy::facts::PolicyHash;
use crate::store::DataStore;
use crate::store::rows::declared;
use crate::vault::core::Rules;
use crate::vault::life::open::{OpenError, Places};
use crate::vault::{Error, Vault};

word_enum! {
    /// A file of rules.
    pub enum RulesFile {
        /// Until when departments sign for tickets and report.
        Deadlines = "deadlines.toml",
        /// The declared fields.
        Fields = "fields.toml",
        /// Which days are working days.
        Holidays = "holidays.toml",
        /// How often one account may guess and take calls.
        Limits = "limits.toml",
        /// The lists that a city owns.
        Lists = "lists.toml",
        /// Who may ask for what.
        Policies = "need-to-know.cedar",
        /// How long callers and their tickets are kept.
        Retention = "retention.toml",
        /// The schema of the policies.
        Schema = "schema.cedarschema",
        /// Words that stand for no value.
        Words = "words.toml",
    }
}

/// Write permission of group and others.
const WRITABLE: u32 = 0o022;
const ROOT: u32 = 0;
/// How long before its first day a year without a table of working days is warned of.
const AHEAD: SignedDuration = SignedDuration::from_hours(60 * 24);

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
    #[error("{} is no file of policies\n  the names are {}; rename it or take it away", .0.display(), names())]
    Unknown(PathBuf),
    /// It cannot be read: the system's words.
    #[error("{0} cannot be read: {1}\n  make it readable to the user who runs callervault")]
    Unreadable(PathBuf, String),
}

fn names() -> String {
    let names: Vec<&str> = RulesFile::ALL.iter().map(|file| file.as_str()).collect();
    names.join(", ")
}

impl RulesFile {
    /// What is in force of it: the file in the directory, or what the program ships with.
    ///
    /// # Errors
    /// [`BadFiles::Unreadable`].
    pub fn text(self, places: &Places) -> Result<String, BadFiles> {
        self.read(&places.policies)
    }

    fn read(self, directory: &Path) -> Result<String, BadFiles> {
        let path = directory.join(self.as_str());
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(self.shipped().to_owned()),
            Err(error) => Err(unreadable(&path, &error)),
        }
    }

    const fn shipped(self) -> &'static str {
        match self {
            Self::Deadlines => Deadlines::SHIPPED,
            Self::Fields => FieldSet::SHIPPED,
            Self::Holidays => Holidays::SHIPPED,
            Self::Limits => Limits::SHIPPED,
            Self::Lists => Lists::SHIPPED,
            Self::Policies => Policy::SHIPPED_POLICIES,
            Self::Retention => RetentionPeriods::SHIPPED,
            Self::Schema => Policy::SHIPPED_SCHEMA,
            Self::Words => Words::SHIPPED,
        }
    }
}

impl FromStr for RulesFile {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::from_word(name).ok_or_else(|| format!("the names are {}", names()))
    }
}

/// Checks all files as a start does: the hash over those that decide.
///
/// # Errors
/// As those of opening a vault there.
pub fn check(places: &Places) -> Result<PolicyHash, OpenError> {
    let rules = load(places)?;
    lists(&places.policies, places.policies_named)?;
    Ok(rules.policy.hash())
}

/// Reads them: those in the directory, and those that are not there as shipped.
pub(in crate::vault) fn load(places: &Places) -> Result<Rules, OpenError> {
    check_directory(&places.policies, places.policies_named)?;
    let text = |file: RulesFile| file.text(places);
    let declarations = text(RulesFile::Fields)?;
    let words = text(RulesFile::Words)?;
    let fields = FieldSet::load(&declarations)?.with_words(Words::load(&words)?);
    fields.check_named()?;
    let limited = text(RulesFile::Limits)?;
    let limits = Limits::load(&limited)?;
    let kept = text(RulesFile::Retention)?;
    let periods = RetentionPeriods::load(&kept)?;
    let (due, holidays) = (text(RulesFile::Deadlines)?, text(RulesFile::Holidays)?);
    let deadlines = Deadlines::load(&due, Holidays::load(&holidays)?)?;
    let policies = text(RulesFile::Policies)?;
    let schema = text(RulesFile::Schema)?;
    let policy = Policy::load(
        &policies,
        &schema,
        &fields,
        &[&declarations, &limited, &words, &kept, &due, &holidays],
    )?;
    Ok(Rules {
        fields,
        policy,
        limits,
        deadlines,
        periods,
        periods_sha256: leaf::base64_sha256(kept.as_bytes()),
    })
}

/// Says in the program log which rules are in force from now on.
pub(in crate::vault) fn tell_rules(policy: PolicyHash) {
    tracing::info!(%policy, "the rules in force: SHA-256 over policies, schema, fields, limits, words, periods of retention, deadlines and holidays");
}

/// Warns of what the rules in force lack soon: a table of working days, without which no deadline is set, and categories that are not listed.
pub(in crate::vault) fn warn_of_deadlines(deadlines: &Deadlines, lists: &Lists, now: Timestamp) {
    let last = deadlines.holidays().last_year();
    let soon = now
        .saturating_add(AHEAD)
        .map_or(last, |then| deadlines.date(then).year());
    if soon > last {
        tracing::warn!(
            last,
            "holidays.toml ends with this year: deadlines beyond it are refused; add the next year's table and reload"
        );
    }
    for category in deadlines
        .categories()
        .filter(|category| lists.category(category).is_none())
    {
        tracing::warn!(category, "deadlines.toml has a category that lists.toml does not have");
    }
}

/// As [`tell_rules`], of the lists.
pub(in crate::vault) fn tell_lists(sha256: &str) {
    tracing::info!(lists = sha256, "the lists in force: SHA-256");
}

/// Whether fields that have been declared are declared as they were.
pub(in crate::vault) async fn check_declared(
    fields: &FieldSet,
    store: &dyn DataStore,
    keyring: &Keyring,
) -> Result<(), OpenError> {
    for row in store.all(&declared::ALL, &[]).await? {
        let row = keyring.genuine(row)?;
        fields.check_declared(&row.name, row.record, &row.kind, row.idx.as_deref())?;
    }
    Ok(())
}

impl Vault {
    /// Reads rules and lists again and puts them in force for requests that come from then on, once the log says so. Says whether
    /// they are others than before.
    ///
    /// # Errors
    /// [`OpenError`]: those in force go on.
    pub async fn reread_rules(&self, places: &Places) -> Result<bool, OpenError> {
        let _one = self.lists.rereading.lock().await;
        let rules = load(places)?;
        let (lists, sha256) = lists(&places.policies, places.policies_named)?;
        let other_lists = lists != *self.lists();
        let policy = rules.policy.hash();
        let other_rules = policy != self.rules.load().policy.hash();
        if !other_rules && !other_lists {
            return Ok(false);
        }
        check_declared(&rules.fields, &*self.store, &self.keyring).await?;
        let at = self.clock.now().map_err(Error::from)?;
        let mut change = Change {
            writes: self.newly_declared(&rules.fields).await?,
            ..Change::default()
        };
        if other_lists {
            change.link.insert("lists".to_owned(), sha256.clone());
        }
        let replaced = Unasked::new(leaf::RULES, DepartmentCode::AUDITORS, at, policy);
        let logged = self.log.unasked_patiently(&replaced, change).await;
        logged.map_err(Error::from)?;
        warn_of_deadlines(&rules.deadlines, &lists, at);
        self.spending.limit(rules.limits.clone());
        self.rules.store(Arc::new(rules));
        self.lists.replace(lists);
        if other_rules {
            tell_rules(policy);
        }
        if other_lists {
            tell_lists(&sha256);
        }
        Ok(true)
    }
}

/// The lists, and SHA-256 over the file. They say what calls may be about and decide nothing, so that they can be read again while
/// the vault serves, and are no part of the policy's hash.
pub(in crate::vault) fn lists(directory: &Path, named: bool) -> Result<(Lists, String), OpenError> {
    check_directory(directory, named)?;
    let text = RulesFile::Lists.read(directory)?;
    let hash = leaf::base64_sha256(text.as_bytes());
    Ok((Lists::load(&text)?, hash))
}

/// What calls may state.
#[derive(Clone)]
pub struct Declared {
    /// The declared fields.
    pub fields: FieldSet,
    /// The city's lists.
    pub lists: Lists,
}

impl Declared {
    /// Those in the directory, or as shipped, where no vault is opened.
    ///
    /// # Errors
    /// As those of opening a vault there.
    pub fn read(places: &Places) -> Result<Self, OpenError> {
        let (lists, _) = lists(&places.policies, places.policies_named)?;
        let declarations = RulesFile::Fields.text(places)?;
        let words = RulesFile::Words.text(places)?;
        let fields = FieldSet::load(&declarations)?.with_words(Words::load(&words)?);
        Ok(Self { fields, lists })
    }

    /// Those in force in an open vault.
    #[must_use]
    pub fn of(vault: &Vault) -> Self {
        Self {
            fields: vault.rules().fields().clone(),
            lists: (*vault.lists()).clone(),
        }
    }
}

fn check_directory(directory: &Path, named: bool) -> Result<(), BadFiles> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound && !named => return Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(BadFiles::Missing(directory.to_owned())),
        Err(error) => return Err(unreadable(directory, &error)),
    };
    safe(directory)?;
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(directory, &error))?;
        let known = RulesFile::ALL.iter().any(|file| entry.file_name() == file.as_str());
        if !known {
            return Err(BadFiles::Unknown(entry.path()));
        }
        safe(&entry.path())?;
    }
    Ok(())
}

/// Whether nobody but root and the user who runs the program may write this file or directory.
///
/// # Errors
/// [`BadFiles`] says who may.
pub fn safe(path: &Path) -> Result<(), BadFiles> {
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    nobody_else_may_write(path, &metadata)
}

/// Opens a file that nobody but root and the user who runs the program may write, and that is no link.
///
/// # Errors
/// [`BadFiles`] says who may.
pub fn open_safely(path: &Path) -> Result<File, BadFiles> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty());
    let file = File::from(file.map_err(|error| unreadable(path, &error.into()))?);
    let metadata = file.metadata().map_err(|error| unreadable(path, &error))?;
    nobody_else_may_write(path, &metadata)?;
    Ok(file)
}

fn nobody_else_may_write(path: &Path, metadata: &Metadata) -> Result<(), BadFiles> {
    if metadata.mode() & WRITABLE != 0 {
        return Err(BadFiles::Writable(path.to_owned()));
    }
    let own = rustix::process::geteuid().as_raw();
    if metadata.uid() != own && metadata.uid() != ROOT {
        return Err(BadFiles::Foreign(path.to_owned()));
    }
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> BadFiles {
    BadFiles::Unreadable(path.to_owned(), error.to_string())
}
