//! Identity documents other than the resident identity card: passports, permits, and the cards of Hong Kong, Macao and Taiwan.
//! A value names its kind and its number: `护照 E12345678`, `passport:E12345678`.

use super::text::{HIDDEN, folded, is_han};
use super::value_rules::{self, Broken};

/// What documents there are.
struct Kind {
    /// The word that is kept.
    word: &'static str,
    /// What people call it, beside the word; a name that begins another one comes after it.
    names: &'static [&'static str],
    /// Whether a number in capitals, without signs, is one of this kind.
    check: fn(&str) -> bool,
    rule: Broken,
}

const KINDS: [Kind; 10] = [
    Kind {
        word: "passport",
        names: &["护照", "外国护照"],
        check: |number| is_ascii(number, 5, 15) && has_digits(number, 2),
        rule: value_rules::PASSPORT,
    },
    Kind {
        word: "hk_macao_permit",
        names: &[
            "港澳居民来往内地通行证",
            "港澳居民通行证",
            "回乡证",
            "home return permit",
        ],
        check: |number| number.starts_with(['H', 'M']) && is_form(number, 1, &[8, 10]),
        rule: value_rules::HK_MACAO_PERMIT,
    },
    Kind {
        word: "taiwan_permit",
        names: &["台湾居民来往大陆通行证", "台湾居民通行证", "台胞证"],
        check: |number| {
            let digits = number.trim_end_matches(|c: char| c.is_ascii_uppercase());
            is_form(number, 0, &[8, 10]) || (number.len() == 11 && is_form(digits, 0, &[10]))
        },
        rule: value_rules::TAIWAN_PERMIT,
    },
    Kind {
        word: "travel_permit",
        names: &[
            "往来港澳通行证",
            "港澳通行证",
            "大陆居民往来台湾通行证",
            "往来台湾通行证",
            "台湾通行证",
            "大通证",
        ],
        check: |number| is_form(number, 1, &[7, 8]) || is_form(number, 2, &[7]),
        rule: value_rules::TRAVEL_PERMIT,
    },
    Kind {
        word: "residence_permit",
        names: &[
            "外国人永久居留身份证",
            "外国人永久居留证",
            "外国人居留许可",
            "外国人居留证",
            "永久居留证",
            "永居证",
            "绿卡",
            "居留证",
            // Of residents from Hong Kong, Macao and Taiwan, too.
            "居住证",
            "residence permit",
        ],
        check: |number| is_ascii(number, 6, 18) && has_digits(number, 2),
        rule: value_rules::RESIDENCE_PERMIT,
    },
    Kind {
        word: "hong_kong_id",
        names: &[
            "香港居民身份证",
            "香港永久性居民身份证",
            "香港永久居民身份证",
            "香港身份证",
            "hkid",
        ],
        check: is_hong_kong,
        rule: value_rules::HONG_KONG_ID,
    },
    Kind {
        word: "macao_id",
        names: &["澳门居民身份证", "澳门身份证"],
        check: |number| is_form(number, 0, &[8]) && number.starts_with(['1', '5', '7', '8']),
        rule: value_rules::MACAO_ID,
    },
    Kind {
        word: "taiwan_id",
        names: &["台湾居民身份证", "台湾身份证"],
        check: is_taiwan,
        rule: value_rules::TAIWAN_ID,
    },
    Kind {
        word: "military",
        names: &[
            "军官证",
            "士官证",
            "士兵证",
            "军人证",
            "文职干部证",
            "文职人员证",
            "警官证",
            "警察证",
        ],
        check: is_any,
        rule: OTHER.rule,
    },
    Kind {
        word: "birth_certificate",
        names: &["出生医学证明", "出生证明", "出生证"],
        check: |number| is_form(number, 1, &[9]),
        rule: value_rules::BIRTH_CERTIFICATE,
    },
];
/// Any other, or nobody said which.
const OTHER: Kind = Kind {
    word: "other",
    names: &["其他证件"],
    check: is_any,
    rule: value_rules::OTHER_DOCUMENT,
};
/// What may stand between kind and number.
const BEFORE_NUMBER: [&str; 6] = ["号码", "编号", "号", "number", "no.", "no"];

/// `passport:E12345678`: the kind's word, and the number in capitals without signs. A number alone is of another document.
pub(super) fn normalise(value: &str) -> Result<String, Broken> {
    let plain: String = folded(value).to_lowercase().chars().map(simplified).collect();
    let plain = plain.replace("身分证", "身份证");
    let (kind, number) = parted(&plain);
    let number: String = number.chars().filter(|c| c.is_alphanumeric()).collect();
    let number = number.to_uppercase();
    if number.is_empty() {
        return Err(value_rules::DOCUMENT_MISSING);
    }
    if (kind.check)(&number) {
        Ok(format!("{}:{number}", kind.word))
    } else {
        Err(kind.rule)
    }
}

/// The kind that a value names, before or after the number, and the rest.
fn parted(plain: &str) -> (&'static Kind, &str) {
    for kind in KINDS.iter().chain([&OTHER]) {
        for name in std::iter::once(&kind.word).chain(kind.names) {
            if let Some(rest) = plain.strip_prefix(name) {
                return (kind, after(rest));
            }
            if let Some(rest) = plain.trim_end_matches(')').strip_suffix(name) {
                return (kind, rest);
            }
        }
    }
    named_in_full(plain).unwrap_or((&OTHER, plain))
}

/// A kind whose name says more before it: 美国护照, 港澳居民居住证.
fn named_in_full(plain: &str) -> Option<(&'static Kind, &str)> {
    let end = plain.find(|c| !is_han(c))?;
    let (label, rest) = plain.split_at_checked(end)?;
    let label = BEFORE_NUMBER
        .iter()
        .find_map(|word| label.strip_suffix(word))
        .unwrap_or(label);
    let kind = KINDS
        .iter()
        .find(|kind| kind.names.iter().any(|name| label.ends_with(name)))?;
    Some((kind, after(rest)))
}

/// The character of a kind's name that people write in its traditional form.
const fn simplified(c: char) -> char {
    match c {
        '證' => '证',
        '護' => '护',
        '灣' => '湾',
        '臺' => '台',
        '鄉' => '乡',
        '門' => '门',
        '來' => '来',
        '陸' => '陆',
        '國' => '国',
        '軍' => '军',
        '號' => '号',
        '醫' => '医',
        '學' => '学',
        '碼' => '码',
        '綠' => '绿',
        c => c,
    }
}

fn after(rest: &str) -> &str {
    let signs = |c: char| c.is_whitespace() || matches!(c, ':' | '-' | '(');
    let rest = rest.trim_start_matches(signs);
    let number = BEFORE_NUMBER.iter().find_map(|word| {
        let number = rest.strip_prefix(word)?;
        // Letters that go on are the number's own: `NO123456` may be one.
        let goes_on = word.ends_with(is_letter_or_digit) && number.starts_with(is_letter_or_digit);
        (!goes_on).then_some(number)
    });
    number.map_or(rest, |number| number.trim_start_matches(signs))
}

const fn is_letter_or_digit(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

/// Letters, digits and Chinese characters.
fn is_any(number: &str) -> bool {
    let usual = number.chars().all(|c| c.is_ascii_alphanumeric() || is_han(c));
    usual && (4..=30).contains(&number.chars().count()) && has_digits(number, 2)
}

fn is_ascii(number: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn has_digits(number: &str, least: usize) -> bool {
    number.bytes().filter(u8::is_ascii_digit).count() >= least
}

/// So many capitals, and then one of these numbers of digits.
fn is_form(number: &str, letters: usize, digits: &[usize]) -> bool {
    number.split_at_checked(letters).is_some_and(|(head, tail)| {
        head.bytes().all(|b| b.is_ascii_uppercase())
            && digits.contains(&tail.len())
            && tail.bytes().all(|b| b.is_ascii_digit())
    })
}

/// The check digit of a Hong Kong card: letters count from 10, a missing first one as 36, weighted 9 to 2, modulo 11.
fn is_hong_kong(number: &str) -> bool {
    let Some((body, check)) = number.split_at_checked(number.len().saturating_sub(1)) else {
        return false;
    };
    if !(is_form(body, 1, &[6]) || is_form(body, 2, &[6])) {
        return false;
    }
    let values: Vec<u32> = body.chars().filter_map(|c| c.to_digit(36)).collect();
    let blank = (values.len() == 7).then_some(36);
    let sum: u32 = blank
        .into_iter()
        .chain(values)
        .zip((2..=9).rev())
        .map(|(value, weight)| value * weight)
        .sum();
    let right = match (11 - sum % 11) % 11 {
        10 => "A".to_owned(),
        digit => digit.to_string(),
    };
    check == right
}

/// The letter's place in the alphabet of Taiwan's counties, as two digits.
const COUNTIES: &str = "ABCDEFGHJKLMNPQRSTUVXYWZIO";

/// The check digit of Taiwan's card: 1, 9, 8 … 1, 1 times the digits of letter and number, modulo 10.
fn is_taiwan(number: &str) -> bool {
    let county = number.chars().next().and_then(|letter| COUNTIES.find(letter));
    let (Some(county), true) = (county, is_form(number, 1, &[9])) else {
        return false;
    };
    let county = u32::try_from(county).unwrap_or_default() + 10;
    let digits = [county / 10, county % 10]
        .into_iter()
        .chain(number.chars().filter_map(|c| c.to_digit(10)));
    let sum: u32 = digits
        .zip([1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1])
        .map(|(digit, weight)| digit * weight)
        .sum();
    matches!(number.as_bytes().get(1), Some(b'1' | b'2' | b'8' | b'9')) && sum.is_multiple_of(10)
}

/// The number alone: the same document under another kind. What stands before the number of another document is its kind: 驾驶证.
pub(super) fn number(normal: &str) -> Option<&str> {
    let (kind, number) = normal.split_once(':')?;
    let bare = number.trim_start_matches(is_han);
    let named = kind == OTHER.word && !bare.is_empty();
    Some(if named { bare } else { number })
}

/// `passport:****`: the kind alone, so that comparing finds no number.
pub(super) fn mask(normal: &str) -> String {
    match normal.split_once(':') {
        Some((kind, _)) => format!("{kind}:{HIDDEN}"),
        None => HIDDEN.to_owned(),
    }
}
