//! Words that stand for no value: a number that is withheld, a name that was not given. A data file, `words.toml`.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::text::{folded, in_one_case, is_han};
use super::{name, phone};

/// What stands for the characters of a name that are not told.
const MASKS: [char; 5] = ['*', '×', '○', '●', '◯'];

/// `words.toml` cannot be used. The words are the TOML parser's: the file holds no personal value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("words.toml: {}\n  the file that the program ships with shows the form", .0.to_string().trim_end())]
pub struct WordsError(toml::de::Error);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    no_number: Vec<String>,
    nobody: Vec<String>,
    after: Vec<String>,
    before: Vec<String>,
    familiar: Vec<String>,
    familiar_surnames: Vec<String>,
    surnames: Vec<String>,
}

/// Words that stand for no value, folded as values are before they are compared.
#[derive(Clone, Debug)]
pub struct Words {
    no_number: BTreeSet<String>,
    nobody: BTreeSet<String>,
    after: BTreeSet<String>,
    before: BTreeSet<String>,
    familiar: BTreeSet<String>,
    familiar_surnames: BTreeSet<String>,
    surnames: BTreeSet<String>,
}

impl Words {
    /// The words the program ships with, `policies/words.toml`.
    pub const SHIPPED: &str = include_str!("../../../policies/words.toml");

    /// Reads words in the form of [`Words::SHIPPED`].
    ///
    /// # Errors
    /// [`WordsError`] for anything but the lists that the shipped file explains.
    pub fn load(text: &str) -> Result<Self, WordsError> {
        let file: File = toml::from_str(text).map_err(WordsError)?;
        let names = |words: Vec<String>| words.iter().map(|word| name::fold(word)).collect();
        Ok(Self {
            no_number: file.no_number.iter().map(|word| significant(word)).collect(),
            nobody: names(file.nobody),
            after: names(file.after),
            before: names(file.before),
            familiar: names(file.familiar),
            familiar_surnames: names(file.familiar_surnames),
            surnames: names(file.surnames),
        })
    }

    /// Whether this stands where there is no telephone number.
    pub(super) fn is_no_number(&self, value: &str) -> bool {
        let word = significant(value);
        let user = significant(&phone::presented(value));
        word.chars().all(|c| c == '0') || self.no_number.contains(&word) || self.no_number.contains(&user)
    }

    /// Whether a name in normal form names nobody: it stands where none was given, or is a surname, with a title or without.
    pub(super) fn is_nobody(&self, normal: &str) -> bool {
        let words: Vec<String> = normal
            .split([' ', '.', '·'])
            .map(name::fold)
            .filter(|word| !word.is_empty())
            .collect();
        self.is_one_of_many(&name::fold(normal)) || self.is_titled(&words)
    }

    /// What is kept of a name that is withheld and has signs that no name has, which would be refused for them. It names nobody: of
    /// `李**` it is the surname, of `孙女士（匿名）` what stands before the remark, of `先生/女士` the first title.
    pub(super) fn nobody_in(&self, value: &str) -> Option<String> {
        let plain = folded(value);
        let kept = self
            .masked(&plain)
            .or_else(|| self.remarked(&plain))
            .or_else(|| self.either(&plain));
        kept.map(str::to_owned)
    }

    /// `李**`, `李*明`, `欧阳**`.
    fn masked<'v>(&self, plain: &'v str) -> Option<&'v str> {
        let (before, after) = plain.split_once(MASKS)?;
        let of_name = |c: char| is_han(c) || MASKS.contains(&c);
        if before.is_empty() || !before.chars().all(is_han) || !after.chars().all(of_name) {
            return None;
        }
        if self.surnames.contains(before) {
            return Some(before);
        }
        before
            .char_indices()
            .nth(1)
            .map_or(Some(before), |(at, _)| before.get(..at))
    }

    fn remarked<'v>(&self, plain: &'v str) -> Option<&'v str> {
        let (before, remark) = plain.strip_suffix(')')?.split_once('(')?;
        (self.is_nobody(remark) && self.is_nobody(before)).then_some(before)
    }

    fn either<'v>(&self, plain: &'v str) -> Option<&'v str> {
        let is_title = |word: &str| {
            [&self.after, &self.nobody]
                .iter()
                .any(|words| words.contains(&name::fold(word)))
        };
        let (first, _) = plain.split_once('/')?;
        plain.split('/').all(is_title).then_some(first)
    }

    /// `王`, `欧阳`, `匿名`, `王先生`, `匿名女士`, `老王`.
    fn is_one_of_many(&self, name: &str) -> bool {
        if name.chars().count() < 2 || self.nobody.contains(name) || self.surnames.contains(name) {
            return true;
        }
        let without = |(title, rest): (&str, Option<&str>)| rest.is_some_and(|rest| self.is_titled_han(title, rest));
        let after = self
            .after
            .iter()
            .map(|title| (title.as_str(), name.strip_suffix(title.as_str())));
        let before = self
            .before
            .iter()
            .map(|title| (title.as_str(), name.strip_prefix(title.as_str())));
        after.chain(before).any(without) || self.is_familiar(name)
    }

    /// 小李, 阿王: the commonest surnames after 小 or 阿. After these, other characters are given names: 小红, 阿兰.
    fn is_familiar(&self, name: &str) -> bool {
        let mut rest = self.familiar.iter().filter_map(|word| name.strip_prefix(word.as_str()));
        rest.any(|rest| self.familiar_surnames.contains(rest))
    }

    /// Whether a title and what stands beside it name many. A title of one character may be a part of a name, as in 伯安: beside a
    /// single character it is one only where that is a surname.
    fn is_titled_han(&self, title: &str, rest: &str) -> bool {
        let one_each = title.chars().count() == 1 && rest.chars().count() == 1;
        let names_many = if one_each {
            self.surnames.contains(rest)
        } else {
            self.is_one_of_many(rest)
        };
        names_many && rest.chars().all(is_han)
    }

    /// `Mr Smith`, `Zhang xiansheng`: titles, and one word at most.
    fn is_titled(&self, words: &[String]) -> bool {
        let before = words.iter().take_while(|word| self.before.contains(*word)).count();
        let names = words.get(before..).unwrap_or_default();
        let after = names.iter().rev().take_while(|word| self.after.contains(*word)).count();
        before + after > 0 && names.len() - after <= 1
    }
}

/// Letters and digits alone, in one case.
fn significant(value: &str) -> String {
    in_one_case(&folded(value))
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect()
}
