//! In which language an answer's words are.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::model::problems::{Rule, Words};

/// A language that the catalogue has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Language {
    English,
    Chinese,
}

impl Language {
    /// The one that `Accept-Language` prefers (RFC 9110 §12.5.4); English where it accepts neither, and the first of two that it
    /// likes as well.
    pub(in crate::http) fn of(headers: &HeaderMap) -> Self {
        let asked = headers.get(header::ACCEPT_LANGUAGE);
        let asked = asked.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut best = (Self::English, 0.0);
        for (language, weight) in asked.split(',').filter_map(Self::range) {
            if weight > best.1 {
                best = (language, weight);
            }
        }
        best.0
    }

    /// A language range with its weight, above 0 and at most 1.
    fn range(range: &str) -> Option<(Self, f32)> {
        let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
        let weight: f32 = weight.trim().strip_prefix("q=")?.parse().ok()?;
        let primary = tag.trim().split('-').next()?.to_ascii_lowercase();
        let language = match primary.as_str() {
            "zh" => Self::Chinese,
            "en" => Self::English,
            _ => return None,
        };
        (weight > 0.0 && weight <= 1.0).then_some((language, weight))
    }

    pub(in crate::http) const fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        })
    }

    pub(in crate::http) const fn words(self, words: Words) -> &'static str {
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
        let asked = |value: &str| {
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
        for english in [
            "",
            "*",
            "en-GB, zh;q=0.9",
            "fr",
            "zhx",
            ";;;q=,",
            "zh;q=0",
            "zh;q=NaN",
            "zh;q=2",
            "zh;q=-1",
        ] {
            assert_eq!(asked(english), Language::English, "{english}");
        }
        let many: String = (0..1000).map(|n| format!("x{n};q=NaN,a;q=0.{n},")).collect();
        assert_eq!(asked(&many), Language::English);
    }
}
