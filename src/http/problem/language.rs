//! In which language an answer's words are.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::model::problems::{Rule, Words};

/// A language that the catalogue has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Chinese,
}

impl Language {
    /// The one that `Accept-Language` prefers (RFC 9110 §12.5.4); English where it names neither.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let asked = headers.get(header::ACCEPT_LANGUAGE);
        let asked = asked.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let known = accept_language::parse(asked).into_iter().find_map(|tag| {
            let primary = tag.split('-').next()?.to_ascii_lowercase();
            match primary.as_str() {
                "zh" => Some(Self::Chinese),
                "en" => Some(Self::English),
                _ => None,
            }
        });
        known.unwrap_or(Self::English)
    }

    pub(super) const fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        })
    }

    pub(super) const fn words(self, words: Words) -> &'static str {
        match self {
            Self::English => words.en,
            Self::Chinese => words.zh,
        }
    }

    pub(super) fn rule(self, rule: &Rule) -> &str {
        match self {
            Self::English => &rule.en,
            Self::Chinese => &rule.zh,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Language;
    use axum::http::{HeaderMap, header};

    #[test]
    fn the_language_preferred_among_those_there_are() {
        let asked = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, value.parse().unwrap());
            Language::of(&headers)
        };
        for chinese in [
            "zh",
            "zh-CN,zh;q=0.9,en;q=0.8",
            "fr, zh-Hant;q=0.5",
            "en;q=0.3, zh;q=0.7",
        ] {
            assert_eq!(asked(chinese), Language::Chinese, "{chinese}");
        }
        for english in ["", "*", "en-GB, zh;q=0.9", "fr", "zhx", ";;;q=,"] {
            assert_eq!(asked(english), Language::English, "{english}");
        }
    }
}
