//! Options from a file and from the environment: `callervault.toml` < `CALLERVAULT_*` < the command line.
//!
//! Neither knows an option by name. What stands there is put before the options of the command line, as if it had been typed, and
//! clap checks it.

mod verb;

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, Id};
use toml::{Table, Value};

use self::verb::Verb;
use super::{Done, Failure, say};
use crate::vault::life::rules;

/// The global option that names the file, and the verb that checks one.
const CONFIG: &str = "config";
/// The file that is read where no other is named, if it is there.
const USUAL: &str = "callervault.toml";
/// Names the file in the environment.
const FILE_VARIABLE: &str = "CALLERVAULT_CONFIG";
/// What an option's variable begins with: `CALLERVAULT_LOG_RETENTION_DAYS`.
const VARIABLE: &str = "CALLERVAULT_";
/// Variables that are no options: the file, and the filter of the program log.
const OTHER_VARIABLES: [&str; 2] = [FILE_VARIABLE, "CALLERVAULT_LOG"];

/// Options that are left out, if they are set elsewhere, where this flag of the verb is given or is not: verb, option, flag, and whether
/// the option needs it. So an address that is set for every verb does not send calls to a server that were to be taken in here, and a
/// file with the passphrase is not in the way of sending them.
const DEPEND: [(&str, &str, &str, bool); 6] = [
    ("import", "url", "server", true),
    ("import", "ca", "server", true),
    ("import", "passphrase_file", "server", false),
    ("import", "passphrase_fd", "server", false),
    ("import", "share_files", "server", false),
    ("import", "share_fd", "server", false),
];

/// Options that no variable sets: the same word means the directory of a store for every other verb.
const NOT_BY_VARIABLE: [(&str, &str); 2] = [("backup", "data"), ("backup", "keys")];

/// What a line lacks that has only what a file says.
const LEFT_OUT: [ErrorKind; 3] = [
    ErrorKind::MissingRequiredArgument,
    ErrorKind::MissingSubcommand,
    ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
];

/// The arguments with what the file and the environment add to them.
pub(super) fn added(command: &Command, typed: Vec<OsString>) -> Result<Vec<OsString>, Failure> {
    // What is wrong with them is said when they are parsed for good.
    let Ok(matches) = command.clone().ignore_errors(true).try_get_matches_from(&typed) else {
        return Ok(typed);
    };
    let verbs = Verb::named(command, &matches);
    // What checks a file does not stand on one.
    if verbs.first().is_none_or(|(first, _)| first.path == [CONFIG]) {
        return Ok(typed);
    }
    check_variables(command)?;
    let file = Settings::in_force(command, &matches)?;
    let mut all = typed;
    // The last verb first: what is put before its options moves no verb in front of it.
    for (verb, of_verb) in verbs.iter().rev() {
        let is_last = verb.path.len() == verbs.len();
        let in_front = if is_last {
            verb::in_front(command, &matches, verb, of_verb).map_err(Failure::usage)?
        } else {
            Vec::new()
        };
        let mut options = Vec::new();
        for setting in verb.settings().filter(|setting| is_last || !setting.is_global_set()) {
            let typed = of_verb.value_source(setting.get_id().as_str()) == Some(ValueSource::CommandLine);
            if !typed && !in_front.iter().any(|(id, _)| *id == setting.get_id()) {
                options.push((setting.get_id(), elsewhere(verb, setting, file.as_ref())?));
            }
        }
        let given = in_front.iter().map(|(id, _)| (*id).clone());
        leave_out(verb, &mut options, given.chain(typed_ids(of_verb)).collect());
        let options = options.into_iter().chain(in_front).flat_map(|(_, words)| words);
        all = verb.before_options(all, options.collect());
    }
    Ok(all)
}

/// The options that were typed.
fn typed_ids(matches: &ArgMatches) -> impl Iterator<Item = Id> {
    let is_typed = |id: &&Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
    matches.ids().filter(is_typed).cloned()
}

/// Leaves out what depends on a flag that is not so. These options were given otherwise.
fn leave_out(verb: &Verb<'_>, options: &mut Vec<(&Id, Vec<OsString>)>, mut given: Vec<Id>) {
    options.retain(|(_, words)| !words.is_empty());
    given.extend(options.iter().map(|(id, _)| (*id).clone()));
    options.retain(|(id, _)| {
        !DEPEND.iter().any(|(name, option, flag, needs)| {
            verb.path == [*name] && **id == **option && given.iter().any(|given| *given == **flag) != *needs
        })
    });
}

/// What the environment or the file says of an option.
fn elsewhere(verb: &Verb<'_>, setting: &Arg, file: Option<&Settings>) -> Result<Vec<OsString>, Failure> {
    // An empty one is none: it would take a list away in silence.
    let is_other = |(name, option): &(&str, &str)| verb.path == [*name] && *setting.get_id() == **option;
    let is_other = NOT_BY_VARIABLE.iter().any(is_other);
    let set = std::env::var_os(variable(setting)).filter(|value| !value.is_empty() && !is_other);
    match (set, file) {
        (Some(value), _) => from_variable(setting, &value),
        (None, Some(file)) => file.options(verb, setting),
        (None, None) => Ok(Vec::new()),
    }
}

/// Checks a file: each section is a verb, each key one of its options, and each value one that the option takes.
pub(super) fn check(command: &Command, path: &Path) -> Done {
    let file = Settings::read(command, path)?;
    for verb in Verb::all(command) {
        let mut options = Vec::new();
        for setting in verb.settings() {
            options.push((setting.get_id(), file.options(&verb, setting)?));
        }
        leave_out(&verb, &mut options, Vec::new());
        let options = options.into_iter().flat_map(|(_, words)| words);
        let line = [OsString::from("callervault")].into_iter().chain(options);
        match verb.alone().try_get_matches_from(line) {
            // Some options, and verbs below this one, are typed each time.
            Err(error) if !LEFT_OUT.contains(&error.kind()) => {
                let words = error.to_string();
                let words = words.lines().next().unwrap_or_default();
                return Err(file.bad(&verb, words.strip_prefix("error: ").unwrap_or(words)));
            }
            _ => {}
        }
    }
    say(format!(
        "{}: no errors, {} settings",
        path.display(),
        settings_in(&file.table)
    ))?;
    Ok(())
}

/// The options that a section and those below it set.
fn settings_in(table: &Table) -> usize {
    let of = |value: &Value| value.as_table().map_or(1, settings_in);
    table.values().map(of).sum()
}

fn variable(setting: &Arg) -> String {
    let long = setting.get_long().unwrap_or_default();
    format!("{VARIABLE}{}", long.replace('-', "_").to_uppercase())
}

/// A misspelt variable would leave the usual value in force in silence.
fn check_variables(command: &Command) -> Result<(), Failure> {
    let verbs = Verb::all(command);
    let known = |name: &str| {
        OTHER_VARIABLES.contains(&name)
            || verbs
                .iter()
                .any(|verb| verb.settings().any(|setting| variable(setting) == name))
    };
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut unknown = names.filter(|name| name.starts_with(VARIABLE) && !known(name));
    unknown.next().map_or(Ok(()), |name| {
        Err(Failure::usage(format!(
            "unknown option {name} in the environment\n  unset it, or correct its name"
        )))
    })
}

fn from_variable(setting: &Arg, value: &OsStr) -> Result<Vec<OsString>, Failure> {
    let words = value.to_str().map(str::trim);
    match (setting.get_action(), words) {
        (ArgAction::SetTrue, Some("true" | "1")) => Ok(vec![flag(setting)]),
        (ArgAction::SetTrue, Some("false" | "0")) => Ok(Vec::new()),
        (ArgAction::SetTrue, _) => Err(Failure::usage(format!("{} must be true or false", variable(setting)))),
        (ArgAction::Append, Some(words)) => Ok(words.split_whitespace().map(|word| with(setting, word)).collect()),
        _ => Ok(vec![with(setting, value)]),
    }
}

fn flag(setting: &Arg) -> OsString {
    format!("--{}", setting.get_long().unwrap_or_default()).into()
}

fn with(setting: &Arg, value: impl AsRef<OsStr>) -> OsString {
    let mut option = flag(setting);
    option.push("=");
    option.push(value);
    option
}

/// A file of settings.
struct Settings {
    path: PathBuf,
    table: Table,
}

impl Settings {
    /// The file that is named on the command line or in the environment, or the usual one if it is there.
    fn in_force(command: &Command, matches: &ArgMatches) -> Result<Option<Self>, Failure> {
        let typed = matches.get_one::<PathBuf>(CONFIG).cloned();
        let named = typed.or_else(|| std::env::var_os(FILE_VARIABLE).map(PathBuf::from));
        match named {
            Some(path) => Self::read(command, &path).map(Some),
            None if is_there(Path::new(USUAL))? => Self::read(command, Path::new(USUAL)).map(Some),
            None => Ok(None),
        }
    }

    /// Reads a file that nobody but its owner may write.
    fn read(command: &Command, path: &Path) -> Result<Self, Failure> {
        // Who may write the directory may put another file in this one's place.
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        rules::safe(directory.unwrap_or(Path::new("."))).map_err(Failure::usage)?;
        let mut text = String::new();
        let read = rules::open_safely(path)
            .map_err(Failure::usage)?
            .read_to_string(&mut text);
        read.map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
        let table = text
            .parse()
            .map_err(|error: toml::de::Error| Failure::usage(format!("{}: {}", path.display(), error.message())))?;
        let settings = Self {
            path: path.to_owned(),
            table,
        };
        settings.check_names(command)?;
        Ok(settings)
    }

    /// Whether every section is a verb and every key one of its options. A misspelt one would leave the usual value in force.
    fn check_names(&self, command: &Command) -> Result<(), Failure> {
        let verbs = Verb::all(command);
        let mut waiting: Vec<(Vec<&str>, &Table)> = vec![(Vec::new(), &self.table)];
        while let Some((section, table)) = waiting.pop() {
            for (key, value) in table {
                let inside: Vec<&str> = section.iter().copied().chain([key.as_str()]).collect();
                let is_verb = verbs.iter().any(|verb| verb.path.starts_with(&inside));
                let is_option = || {
                    let mut below = verbs.iter().filter(|verb| section.is_empty() || verb.path == section);
                    below.any(|verb| verb.has(key))
                };
                match value {
                    Value::Table(table) if is_verb => waiting.push((inside, table)),
                    Value::Table(_) => return Err(self.unknown("unknown verb", &inside.join("."))),
                    _ if is_option() => {}
                    _ => return Err(self.unknown("unknown option", &inside.join("."))),
                }
            }
        }
        Ok(())
    }

    /// What the file says of one option of a verb: the word of its section, of the section of a verb above it, or above all sections.
    fn options(&self, verb: &Verb<'_>, setting: &Arg) -> Result<Vec<OsString>, Failure> {
        let long = setting.get_long().unwrap_or_default();
        // A section may be called like an option: `[department]`, `--department`.
        let here = |table: &'_ Table| table.get(long).filter(|value| !value.is_table()).cloned();
        let mut value = here(&self.table);
        let mut table = Some(&self.table);
        for name in &verb.path {
            table = table.and_then(|table| table.get(*name)).and_then(Value::as_table);
            value = table.and_then(here).or(value);
        }
        match (&value, setting.get_action()) {
            (None, _) => Ok(Vec::new()),
            (Some(Value::Boolean(set)), action) if takes_none(setting, action) => {
                Ok(set.then(|| flag(setting)).into_iter().collect())
            }
            (Some(Value::Array(several)), ArgAction::Append) => {
                let options = several.iter().map(|value| Some(with(setting, word(value)?)));
                let options: Option<Vec<OsString>> = options.collect();
                options.ok_or_else(|| self.bad(verb, &format!("{long} must be a list of words")))
            }
            (Some(value), ArgAction::Set | ArgAction::Append) => match word(value) {
                Some(word) => Ok(vec![with(setting, word)]),
                None => Err(self.bad(verb, &format!("{long} must be a word or a number"))),
            },
            _ => Err(self.bad(verb, &format!("{long} must be true or false"))),
        }
    }

    fn bad(&self, verb: &Verb<'_>, words: &str) -> Failure {
        Failure::usage(format!("{}: [{}] {words}", self.path.display(), verb.path.join(".")))
    }

    fn unknown(&self, words: &str, name: &str) -> Failure {
        Failure::usage(format!(
            "{}: {words} {name}\n  `callervault help` lists them; write options without the leading hyphens",
            self.path.display()
        ))
    }
}

fn is_there(path: &Path) -> Result<bool, Failure> {
    let there = path.try_exists();
    there.map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))
}

/// Whether an option may stand without a value.
fn takes_none(setting: &Arg, action: &ArgAction) -> bool {
    let least = setting.get_num_args().map_or(1, |values| values.min_values());
    matches!(action, ArgAction::SetTrue) || least == 0
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(word) => Some(word.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        _ => None,
    }
}
