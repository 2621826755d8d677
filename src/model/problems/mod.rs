//! The catalogue of problems (RFC 9457): every reason for which a request does not happen, once, with its name, its HTTP status,
//! and its words in English and Chinese. `docs/problems.md` is made from it.
//!
//! Words may hold places in braces, such as `{index}`; who answers fills them in. No value that came in is ever put there.

mod faults;
mod refusals;
mod requests;
mod rule;
mod targets;
mod things;
mod unlocking;

pub use self::faults::*;
pub use self::refusals::*;
pub use self::requests::*;
pub use self::rule::Rule;
pub use self::targets::*;
pub use self::things::Thing;
pub use self::unlocking::*;

/// The same in two languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// English.
    pub en: &'static str,
    /// Chinese.
    pub zh: &'static str,
}

/// What an answer says went wrong and how to put it right.
#[derive(Debug, PartialEq, Eq)]
pub struct ProblemKind {
    /// The last part of its `type`: `urn:callervault:problem:<name>`.
    pub name: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened. It is the same for every problem of this name.
    pub title: Words,
    /// What to do.
    pub remedy: Words,
}

impl ProblemKind {
    /// Every problem. Several may share a name and a title, each with a remedy of its own.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        let tables = [requests::ALL, targets::ALL, refusals::ALL, faults::ALL, unlocking::ALL];
        tables.into_iter().flatten().copied()
    }
}

/// Declares problems: constant, name, status, title in English and Chinese, remedy in English and Chinese.
macro_rules! problems {
    ($( $(#[$doc:meta])* $id:ident = $name:literal, $status:literal, $title_en:literal / $title_zh:literal,
        $en:literal / $zh:literal; )+) => {
        $(
            $(#[$doc])*
            pub const $id: &$crate::model::problems::ProblemKind = &$crate::model::problems::ProblemKind {
                name: $name,
                status: $status,
                title: $crate::model::problems::Words { en: $title_en, zh: $title_zh },
                remedy: $crate::model::problems::Words { en: $en, zh: $zh },
            };
        )+

        /// The problems of this table.
        pub(super) const ALL: &[&$crate::model::problems::ProblemKind] = &[ $( $id, )+ ];
    };
}

pub(crate) use problems;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::ProblemKind;

    #[test]
    fn one_name_has_one_status_and_one_title() {
        let mut seen = BTreeMap::new();
        for kind in ProblemKind::all() {
            let told = (kind.status, kind.title);
            assert_eq!(*seen.entry(kind.name).or_insert(told), told, "{}", kind.name);
        }
    }

    #[test]
    fn both_languages_have_the_same_places() {
        let places = |text: &str| {
            let mut places: Vec<String> = text
                .split('{')
                .skip(1)
                .map(|rest| rest.split('}').next().unwrap().to_owned())
                .collect();
            places.sort();
            places
        };
        for kind in ProblemKind::all() {
            for words in [kind.title, kind.remedy] {
                assert_eq!(places(words.en), places(words.zh), "{}", kind.name);
                assert!(
                    words.zh.chars().any(|c| ('\u{4e00}'..'\u{a000}').contains(&c)),
                    "{}",
                    kind.name
                );
            }
        }
    }
}
