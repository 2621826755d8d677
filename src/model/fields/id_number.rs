//! Resident identity numbers (公民身份号码, GB 11643-1999), also of residents from Hong Kong, Macao and Taiwan and of
//! foreigners with permanent residence, who carry the same 18 characters.

use jiff::civil::Date;

use super::text::{HIDDEN, QUOTES, folded, is_dash, is_han};
use super::value_rules::{self, Broken};

/// Weight of each digit: 2 to its place counted from the right, modulo 11 (ISO 7064 MOD 11-2).
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// The check character for each weighted sum modulo 11.
const CHECKS: [u8; 11] = *b"10X98765432";

/// What looks like an X: the sign of multiplication, and letters of other scripts.
const LIKE_X: [char; 6] = ['×', '✕', 'Х', 'х', 'Χ', 'χ'];

/// Upper case, without spaces and hyphens, and without 身份证号 and the like before it.
pub(super) fn normalise(value: &str, last_birth: Date) -> Result<String, Broken> {
    let plain = folded(value);
    let number = plain
        .trim_start_matches(|c| is_han(c) || matches!(c, ':' | ' ' | '(') || QUOTES.contains(&c))
        .trim_end_matches(|c| matches!(c, '.' | '。' | ',' | ';' | ')') || QUOTES.contains(&c));
    let number: String = number.chars().filter(|c| !c.is_whitespace() && !is_dash(*c)).collect();
    let number = number.replace(LIKE_X, "X").to_ascii_uppercase();
    let digits = digits(&number).ok_or(value_rules::ID_SHAPE)?;
    if !is_region(digits[0] * 10 + digits[1]) {
        return Err(value_rules::ID_REGION);
    }
    let birth = birth(&digits).ok_or(value_rules::ID_DATE)?;
    if number.as_bytes().last() != Some(&check_character(&digits)) {
        return Err(value_rules::ID_CHECK);
    }
    if birth > last_birth {
        Err(value_rules::ID_FUTURE)
    } else {
        Ok(number)
    }
}

/// The 17 digits before a check character.
fn digits(number: &str) -> Option<[u32; 17]> {
    let [body @ .., b'0'..=b'9' | b'X'] = number.as_bytes() else {
        return None;
    };
    let body: [u8; 17] = body.try_into().ok()?;
    body.iter()
        .all(u8::is_ascii_digit)
        .then(|| body.map(|digit| u32::from(digit - b'0')))
}

fn check_character(digits: &[u32; 17]) -> u8 {
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    CHECKS.into_iter().nth(sum as usize % 11).unwrap_or_default()
}

/// Provinces (GB/T 2260), 81 to 83 for residents from Hong Kong, Macao and Taiwan, 9 for foreigners.
const fn is_region(code: u32) -> bool {
    matches!(code, 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83 | 90..=99)
}

fn birth(digits: &[u32; 17]) -> Option<Date> {
    let number = |places: &[u32]| places.iter().fold(0, |sum, digit| sum * 10 + digit);
    let year = i16::try_from(number(&digits[6..10]))
        .ok()
        .filter(|year| *year >= 1800)?;
    let month = i8::try_from(number(&digits[10..12])).ok()?;
    let day = i8::try_from(number(&digits[12..14])).ok()?;
    Date::new(year, month, day).ok()
}

/// `1****************4`: sixteen characters are hidden. With the region and the last four shown, what is left is a birth date,
/// which somebody who knows the caller's age finds by comparing a few dozen numbers.
pub(super) fn mask(normal: &str) -> String {
    match (normal.len(), normal.get(..1), normal.get(17..)) {
        (18, Some(first), Some(last)) => format!("{first}****************{last}"),
        _ => HIDDEN.to_owned(),
    }
}
