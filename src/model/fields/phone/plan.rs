//! The mainland's numbering plan (MIIT, 电信网编号计划): mobiles, landlines, 400 and 800, and the short numbers of services.

use super::areas::AREAS;
use crate::model::fields::value_rules::{self, Broken};

/// What a number is, without the country code and without the 0 before its area code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// 11 digits from 13 to 19.
    Mobile,
    /// 400 or 800 and 7 digits.
    Service,
    /// The same number everywhere: 95xxx, 95xxxx, 950 with 7 or 8 digits more, and the paid services 160 and 168.
    Nationwide,
    /// An area code of so many digits, and 7 or 8 digits.
    Landline(usize),
    /// An area code of so many digits, and a short number that is another one in each area.
    Short(usize),
}

/// As dialled inside China, or with the country code but no plus sign.
pub(super) fn domestic(digits: &str) -> Result<String, Broken> {
    if let Some(national) = digits.strip_prefix('0') {
        return known(national);
    }
    match kind(digits) {
        Some(Kind::Mobile | Kind::Service | Kind::Nationwide) => Ok(e164(digits)),
        // It may as well be a mobile without its first digit, or a number of another country.
        Some(Kind::Landline(_)) => Err(value_rules::PHONE_AREA_ZERO),
        Some(Kind::Short(_)) | None => match digits.strip_prefix("86") {
            Some(national) => after_country_code(national),
            None => without_carrier(digits).map_or(Err(value_rules::PHONE_MAINLAND), domestic),
        },
    }
}

/// After +86, or 86: the 0 before an area code or a mobile is for calls inside the country.
pub(super) fn after_country_code(national: &str) -> Result<String, Broken> {
    known(national.strip_prefix('0').unwrap_or(national))
}

fn known(national: &str) -> Result<String, Broken> {
    match (kind(national), area(national)) {
        (Some(_), _) => Ok(e164(national)),
        (None, Some(_)) => Err(value_rules::PHONE_SUBSCRIBER),
        (None, None) if national.starts_with('1') => Err(value_rules::PHONE_MAINLAND),
        (None, None) => Err(value_rules::PHONE_AREA),
    }
}

fn e164(national: &str) -> String {
    format!("+86{national}")
}

/// After the code that chooses a carrier, as telephones store it: 17951, 12593.
fn without_carrier(digits: &str) -> Option<&str> {
    let (carrier, number) = digits.split_at_checked(5)?;
    let chosen = carrier.starts_with("11") || carrier.starts_with("12") || carrier.starts_with("179");
    (chosen && number.len() >= 10).then_some(number)
}

/// Whether the digits are a whole number that is dialled like this in every area, as a telephone abroad shows it behind a plus
/// sign that does not belong there.
pub(super) fn is_dialled_anywhere(digits: &str) -> bool {
    matches!(kind(digits), Some(Kind::Mobile | Kind::Service | Kind::Nationwide))
}

/// What the number is; `None`: the plan has no such number.
pub(super) fn kind(national: &str) -> Option<Kind> {
    match (national.as_bytes(), national.len()) {
        ([b'1', b'3'..=b'9', ..], 11) => return Some(Kind::Mobile),
        ([b'4' | b'8', b'0', b'0', ..], 10) => return Some(Kind::Service),
        ([b'9', b'5', ..], 5 | 6) | ([b'1', b'6', b'0' | b'8', ..], 8) => return Some(Kind::Nationwide),
        ([b'9', b'5', b'0', ..], 10 | 11) if area(national).is_none() => return Some(Kind::Nationwide),
        _ => {}
    }
    let area = area(national)?;
    let subscriber = national.get(area..)?;
    if is_subscriber(subscriber, area) {
        return Some(Kind::Landline(area));
    }
    is_short(subscriber).then_some(Kind::Short(area))
}

/// How many digits the area code has; `None`: no area code begins the number.
fn area(national: &str) -> Option<usize> {
    [2, 3].into_iter().find(|&digits| {
        national
            .get(..digits)
            .is_some_and(|code| AREAS.binary_search(&code).is_ok())
    })
}

fn is_subscriber(subscriber: &str, area: usize) -> bool {
    let length = subscriber.len() == 8 || (subscriber.len() == 7 && area == 3);
    length && subscriber.starts_with(|c| matches!(c, '2'..='9'))
}

/// Services: 95xxx, 96xxx and 1xxxx, some with a sixth digit, and 110, 114, 119, 120 and 122.
fn is_short(number: &str) -> bool {
    match (number.as_bytes(), number.len()) {
        ([b'9', b'5' | b'6', ..], 5 | 6) => true,
        ([b'1', b'0'..=b'2', ..], 5) | ([b'1', b'1', ..], 6) => true,
        _ => matches!(number, "110" | "114" | "119" | "120" | "122"),
    }
}
