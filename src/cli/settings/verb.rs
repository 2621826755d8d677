//! Verbs and their options, as they are declared and as they were typed.

use std::ffi::{OsStr, OsString};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, Id};

use super::{CONFIG, flag, with};

/// A verb, such as `audit export`.
#[derive(Clone)]
pub(super) struct Verb<'c> {
    /// Its name and those of the verbs above it, the outermost first.
    pub(super) path: Vec<&'c str>,
    pub(super) command: &'c Command,
    /// The verbs above it, whose options for all verbs below them are its own too.
    above: Vec<&'c Command>,
}

impl<'c> Verb<'c> {
    /// The verbs that were typed, such as `audit` and `audit export`, and what was typed with each.
    pub(super) fn named<'m>(command: &'c Command, matches: &'m ArgMatches) -> Vec<(Self, &'m ArgMatches)> {
        let (mut verb, mut matches) = (Self::none(command), matches);
        let mut named = Vec::new();
        while let Some((name, further)) = matches.subcommand() {
            let Some(next) = verb.command.find_subcommand(name) else {
                break;
            };
            (verb, matches) = (verb.below(next), further);
            named.push((verb.clone(), matches));
        }
        named
    }

    /// Every verb, those that have further ones below them included: `audit` has options of its own.
    pub(super) fn all(command: &'c Command) -> Vec<Self> {
        let mut all = Vec::new();
        let mut waiting = vec![Self::none(command)];
        while let Some(verb) = waiting.pop() {
            for next in verb.command.get_subcommands() {
                let next = verb.below(next);
                waiting.push(next.clone());
                all.push(next);
            }
        }
        all
    }

    const fn none(command: &'c Command) -> Self {
        Self {
            path: Vec::new(),
            command,
            above: Vec::new(),
        }
    }

    fn below(&self, command: &'c Command) -> Self {
        Self {
            path: self.path.iter().copied().chain([command.get_name()]).collect(),
            command,
            above: self.above.iter().copied().chain([self.command]).collect(),
        }
    }

    /// The options of a verb that may be set elsewhere, with those that it has from the verbs above it.
    pub(super) fn settings(&self) -> impl Iterator<Item = &'c Arg> {
        let may_be_set = |arg: &&Arg| {
            let long = arg.get_long();
            long.is_some_and(|long| !["help", "version", CONFIG].contains(&long))
        };
        self.command.get_arguments().chain(self.inherited()).filter(may_be_set)
    }

    fn inherited(&self) -> impl Iterator<Item = &'c Arg> {
        let above = self.above.iter().copied().flat_map(Command::get_arguments);
        above.filter(|arg| arg.is_global_set())
    }

    /// The verb without those above it, with all its options.
    pub(super) fn alone(&self) -> Command {
        self.command.clone().args(self.inherited().cloned())
    }

    pub(super) fn has(&self, long: &str) -> bool {
        self.settings().any(|setting| setting.get_long() == Some(long))
    }

    /// The arguments with options right behind the verb, where what was typed comes after them.
    pub(super) fn before_options(&self, typed: Vec<OsString>, options: Vec<OsString>) -> Vec<OsString> {
        let mut words = typed.iter().enumerate().skip(1);
        let mut at = typed.len();
        let levels = self.above.iter().copied();
        for (name, above) in self.path.iter().zip(levels) {
            while let Some((place, word)) = words.next() {
                if word == OsStr::new(name) {
                    at = place + 1;
                    break;
                }
                if takes_next(above, word) {
                    words.next();
                }
            }
        }
        let mut all = typed;
        all.splice(at..at, options);
        all
    }
}

/// Whether the word is an option of this verb whose value is the next word.
fn takes_next(command: &Command, word: &OsStr) -> bool {
    let Some(long) = word.to_str().and_then(|word| word.strip_prefix("--")) else {
        return false;
    };
    let mut options = command.get_arguments();
    options.any(|arg| arg.get_long() == Some(long) && !matches!(arg.get_action(), ArgAction::SetTrue))
}

/// The options that were typed in front of all verbs, by their ids, as if they stood behind this one. What this verb does not have is
/// named.
pub(super) fn in_front<'c>(
    command: &'c Command,
    matches: &ArgMatches,
    verb: &Verb<'_>,
    behind: &ArgMatches,
) -> Result<Vec<(&'c Id, Vec<OsString>)>, String> {
    let mut options = Vec::new();
    let of_verbs = command.get_arguments().filter(|arg| !arg.is_global_set());
    for setting in of_verbs {
        let id = setting.get_id();
        let Some(long) = setting.get_long().filter(|long| !["help", "version"].contains(long)) else {
            continue;
        };
        if matches.value_source(id.as_str()) != Some(ValueSource::CommandLine) {
            continue;
        }
        if !verb.has(long) {
            return Err(format!("`callervault {}` has no option --{long}", verb.path.join(" ")));
        }
        // What stands behind the verb is nearer to it.
        if behind.value_source(id.as_str()) == Some(ValueSource::CommandLine) {
            continue;
        }
        let words = match setting.get_action() {
            ArgAction::SetTrue => vec![flag(setting)],
            _ => {
                let values = matches.get_raw(id.as_str()).into_iter().flatten();
                values.map(|value| with(setting, value)).collect()
            }
        };
        options.push((id, words));
    }
    Ok(options)
}
