//! What a value must be, said in both languages without the value.

use super::Words;

/// A rule that a value breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl From<Words> for Rule {
    fn from(words: Words) -> Self {
        Self {
            en: words.en.to_owned(),
            zh: words.zh.to_owned(),
        }
    }
}

impl Rule {
    /// One of these words.
    #[must_use]
    pub fn one_of<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
        Self {
            en: format!("one of {}", words.join(", ")),
            zh: format!("应为 {} 之一", words.join("、")),
        }
    }

    /// What the message of a serde error says that was expected. Such a message may quote what came in, so that only what the
    /// program itself put into it is taken: what stands after the last ", expected ", in messages that serde begins.
    #[must_use]
    pub fn of_serde(message: &str) -> Self {
        const QUOTING: [&str; 5] = [
            "unknown variant `",
            "unknown field `",
            "invalid type: ",
            "invalid value: ",
            "invalid length ",
        ];
        let message = without_position(message);
        if let Some(name) = declared(message, "missing field `") {
            return Self {
                en: format!("`{name}` is missing"),
                zh: format!("缺少 `{name}`"),
            };
        }
        if let Some(name) = declared(message, "duplicate field `") {
            return Self {
                en: format!("`{name}` is given twice"),
                zh: format!("`{name}` 重复"),
            };
        }
        let quoting = QUOTING.iter().any(|beginning| message.starts_with(beginning));
        match message.rsplit_once(", expected ").filter(|_| quoting) {
            Some((_, expected)) => Self::expected(expected),
            None => AS_DOCUMENTED.into(),
        }
    }

    fn expected(words: &str) -> Self {
        if matches!(words, "u8" | "u16" | "u32" | "u64" | "usize") {
            return WHOLE_NUMBER.into();
        }
        let listed = words.strip_prefix("one of ").unwrap_or(words);
        // Other words are those of the program's types: right, and of no use.
        if !listed.starts_with('`') || !listed.ends_with('`') {
            return AS_DOCUMENTED.into();
        }
        Self {
            en: format!("expected {words}"),
            zh: format!("应为 {}", listed.replace(" or ", "、").replace(", ", "、")),
        }
    }
}

const AS_DOCUMENTED: Words = Words {
    en: "expected a value as described in /openapi.json",
    zh: "应为 /openapi.json 所述的值",
};

const WHOLE_NUMBER: Words = Words {
    en: "expected a whole number",
    zh: "应为整数",
};

/// The message without the position that serde_json appends. Nothing else is cut: what looks like a position may be a part of
/// what came in.
fn without_position(message: &str) -> &str {
    let cut = message.rsplit_once(" at line ").filter(|(_, position)| {
        let numbers = position.split_once(" column ");
        numbers.is_some_and(|(line, column)| line.parse::<usize>().is_ok() && column.parse::<usize>().is_ok())
    });
    cut.map_or(message, |(message, _)| message)
}

/// The name in a message that serde makes of a name that the program declares.
fn declared<'m>(message: &'m str, beginning: &str) -> Option<&'m str> {
    message.strip_prefix(beginning)?.strip_suffix('`')
}

#[cfg(test)]
mod tests {
    use super::Rule;

    #[test]
    fn what_came_in_is_never_in_the_rule() {
        let quoted = "13912345678, expected 13912345678";
        let messages = [
            format!("unknown variant `{quoted}`, expected one of `phone`, `web` at line 1 column 3"),
            format!("unknown field `{quoted}`, expected `a` or `b`"),
            format!("unknown field `x, expected {quoted} at line `, expected one of `a`, `b`"),
            format!("unknown variant `x, expected {quoted} at line 1 column 2`, expected one of `a`, `b`"),
            format!("invalid type: string \"x, expected {quoted} at line 1 column 2\", expected u32"),
            format!("invalid type: string \"{quoted}\", expected u32 at line 3 column 9"),
            format!("failed to parse \"{quoted}\": unlucky, expected {quoted}"),
            quoted.to_owned(),
        ];
        for message in messages {
            let rule = Rule::of_serde(&message);
            assert!(!rule.en.contains("139") && !rule.zh.contains("139"), "{rule:?}");
        }
    }

    #[test]
    fn the_words_allowed_are_told() {
        let rule = Rule::of_serde("unknown variant `x`, expected one of `phone`, `web` at line 1 column 3");
        assert_eq!(rule.en, "expected one of `phone`, `web`");
        assert_eq!(rule.zh, "应为 `phone`、`web`");
        assert_eq!(
            Rule::of_serde("missing field `ticket` at line 1 column 2").en,
            "`ticket` is missing"
        );
        assert_eq!(
            Rule::of_serde("invalid type: string \"\", expected u32").en,
            "expected a whole number"
        );
    }
}
