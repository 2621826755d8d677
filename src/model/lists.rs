//! The lists that a city owns: codes with a label in Chinese and in English. A data file, `lists.toml`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::principals::DepartmentKind;
use super::problems::Words;
use super::tickets::{Category, Channel};
use super::township::Township;

/// Most codes of one list.
const MOST: usize = 2_000;
/// Longest label, in characters.
pub(super) const LONGEST_LABEL: usize = 60;

/// A code and what people call it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Labelled {
    /// The code, as requests and answers have it.
    pub code: String,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Labelled {
    /// A word of the program with its labels.
    pub(super) fn new(code: &str, label: Words) -> Self {
        Self {
            code: code.to_owned(),
            zh: label.zh.to_owned(),
            en: label.en.to_owned(),
        }
    }
}

/// `lists.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Lists {
    /// 诉求分类.
    pub categories: Vec<Labelled>,
    /// 受理渠道.
    pub channels: Vec<Labelled>,
    /// 部门类型.
    pub department_kinds: Vec<Labelled>,
    /// 街镇. Without any, every place code is taken.
    pub townships: Vec<Labelled>,
}

/// `lists.toml` cannot be used: what is wrong in which list, and the remedy on a line of its own. The file holds no personal value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("lists.toml: {problem}\n  {remedy}")]
pub struct ListsError {
    problem: String,
    remedy: &'static str,
}

impl ListsError {
    fn new(problem: String, remedy: &'static str) -> Self {
        Self { problem, remedy }
    }
}

impl Lists {
    /// The lists the program ships with.
    pub const SHIPPED: &str = include_str!("../../policies/lists.toml");

    /// Reads lists in the form that the head of [`Lists::SHIPPED`] explains.
    ///
    /// # Errors
    /// [`ListsError`] for the first thing that is wrong.
    pub fn load(text: &str) -> Result<Self, ListsError> {
        let lists: Self = toml::from_str(text).map_err(|error| {
            let words = error.to_string().trim_end().to_owned();
            ListsError::new(words, "the file that the program ships with shows the form")
        })?;
        for (name, list) in [
            ("categories", &lists.categories),
            ("channels", &lists.channels),
            ("department_kinds", &lists.department_kinds),
            ("townships", &lists.townships),
        ] {
            check(name, list)?;
        }
        for name in [&lists.categories, &lists.channels, &lists.department_kinds] {
            if name.is_empty() {
                let problem = "a list other than townships is empty".to_owned();
                return Err(ListsError::new(problem, "no call could be taken; list what there is"));
            }
        }
        Ok(lists)
    }

    /// The listed category with that code.
    #[must_use]
    pub fn category(&self, code: &str) -> Option<Category> {
        Category::new(code).filter(|_| has(&self.categories, code))
    }

    /// The place with that code, if intake takes it.
    #[must_use]
    pub fn township(&self, code: &str) -> Option<Township> {
        Township::new(code).filter(|_| self.townships.is_empty() || has(&self.townships, code))
    }

    /// Whether calls may come this way.
    #[must_use]
    pub fn has_channel(&self, channel: Channel) -> bool {
        has(&self.channels, channel.as_str())
    }

    /// Whether a new department may be of this kind.
    #[must_use]
    pub fn has_kind(&self, kind: DepartmentKind) -> bool {
        has(&self.department_kinds, kind.as_str())
    }
}

fn has(list: &[Labelled], code: &str) -> bool {
    list.iter().any(|one| one.code == code)
}

/// Whether people can be shown this for a code: something on one line.
pub(super) fn is_label(text: &str) -> bool {
    (1..=LONGEST_LABEL).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// Whether a code may stand in the list of that name, and what it must be.
fn is_code(list: &str, code: &str) -> (bool, &'static str) {
    match list {
        "categories" => (
            Category::new(code).is_some(),
            "up to 40 lower-case letters and digits with single _ or - between them, never five digits in a row",
        ),
        "channels" => (
            Channel::from_word(code).is_some(),
            "the program knows phone, web, wechat and app",
        ),
        "department_kinds" => (
            DepartmentKind::from_word(code).is_some(),
            "the policy knows centre, organ, enterprise and grassroots",
        ),
        _ => (
            Township::new(code).is_some(),
            "a place code of GB/T 2260 has 6, 9 or 12 digits",
        ),
    }
}

fn check(name: &str, list: &[Labelled]) -> Result<(), ListsError> {
    if list.len() > MOST {
        return Err(ListsError::new(
            format!("{name} has more than {MOST} codes"),
            "leave out what is not used",
        ));
    }
    let mut seen = BTreeSet::new();
    for one in list {
        let code = &one.code;
        let (good, rule) = is_code(name, code);
        if !good {
            return Err(ListsError::new(
                format!("{name}: the code {code:?} is not allowed"),
                rule,
            ));
        }
        if !seen.insert(code) {
            return Err(ListsError::new(
                format!("{name}: the code {code:?} stands there twice"),
                "leave one out",
            ));
        }
        if !is_label(&one.zh) || !is_label(&one.en) {
            return Err(ListsError::new(
                format!("{name}: the labels of {code:?} are not allowed"),
                "each has 1 to 60 characters on one line",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(from: &str, to: &str) -> Result<Lists, ListsError> {
        let text = Lists::SHIPPED.replacen(from, to, 1);
        assert_ne!(text, Lists::SHIPPED, "{from}");
        Lists::load(&text)
    }

    #[test]
    fn the_shipped_lists_know_every_word_of_the_program() {
        let lists = Lists::load(Lists::SHIPPED).unwrap();
        assert!(Channel::ALL.iter().all(|&channel| lists.has_channel(channel)));
        assert!(DepartmentKind::ALL.iter().all(|&kind| lists.has_kind(kind)));
        assert!(lists.category("noise").is_some() && lists.category("zhang_san").is_none());
        assert!(lists.township("310118101").is_some() && lists.township("3101181").is_none());
    }

    #[test]
    fn a_category_is_a_code_without_a_telephone_number() {
        for good in ["street-light", "a_1", "law2026", "b4-c_d"] {
            let lists = with("\"noise\"", &format!("{good:?}")).unwrap();
            assert!(lists.category(good).is_some(), "{good}");
        }
        let long = "a".repeat(41);
        for bad in [
            "",
            "Noise",
            "1a",
            "-a",
            "a-",
            "a__b",
            "a_-b",
            "噪声",
            "a b",
            "zhang_san_13912345678",
            "a12345",
            &long,
        ] {
            let error = with("\"noise\"", &format!("{bad:?}")).expect_err(bad).to_string();
            assert!(error.contains("is not allowed\n  "), "{error}");
        }
    }

    #[test]
    fn where_townships_are_listed_no_other_is_taken() {
        let one = "townships = [{ code = \"310118101\", zh = \"盈浦街道\", en = \"Yingpu\" }]";
        let lists = with("townships = []", one).unwrap();
        assert!(lists.township("310118101").is_some() && lists.township("310118102").is_none());
    }

    #[test]
    fn what_cannot_be_used() {
        for (from, to) in [
            ("code = \"web\"", "code = \"fax\""),
            ("code = \"organ\"", "code = \"court\""),
            (
                "townships = []",
                "townships = [{ code = \"31\", zh = \"沪\", en = \"Shanghai\" }]",
            ),
            ("code = \"water\"", "code = \"noise\""),
            ("zh = \"电话\"", "zh = \"\""),
            ("en = \"Telephone\"", "en = \"a\\nb\""),
            ("en = \"Telephone\"", "de = \"Telefon\""),
            ("townships = []", "districts = []"),
            ("categories = [", "category = ["),
        ] {
            let error = with(from, to).expect_err(to).to_string();
            assert!(error.starts_with("lists.toml: ") && error.contains("\n  "), "{error}");
        }
        let from = Lists::SHIPPED.find("channels = [").unwrap();
        let end = from + Lists::SHIPPED[from..].find("\n]").unwrap();
        let empty = format!("{}channels = [{}", &Lists::SHIPPED[..from], &Lists::SHIPPED[end..]);
        assert!(Lists::load(&empty).unwrap_err().to_string().contains("is empty"));
    }
}
