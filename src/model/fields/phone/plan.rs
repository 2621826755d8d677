//! The mainland's numbering plan (MIIT, 电信网编号计划): mobiles, landlines, 400 and 800, and the short numbers of services.

use super::areas::{AREAS, BEFORE_EIGHT};

const NUMBER: &str = "a mainland number is a mobile of 11 digits, 400 or 800 with 7 digits, or a landline or short number with \
                      its area code";
const AREA: &str = "no area code of the mainland begins this number";
const SUBSCRIBER: &str = "after an area code come 7 or 8 digits, after 010 and 02x always 8, or a short number such as 95xxx, \
                          96xxx or 12345";

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
pub(super) fn domestic(digits: &str) -> Result<String, &'static str> {
    if let Some(national) = digits.strip_prefix('0') {
        return known(national);
    }
    let dialled = match kind(digits) {
        Some(Kind::Landline(area)) => has_lost_its_0(digits, area),
        Some(Kind::Short(_)) | None => false,
        Some(Kind::Mobile | Kind::Service | Kind::Nationwide) => true,
    };
    if dialled {
        return Ok(e164(digits));
    }
    match digits.strip_prefix("86") {
        Some(national) => after_country_code(national),
        None => without_carrier(digits).map_or(Err(NUMBER), domestic),
    }
}

/// Whether a table has cut the 0 off a landline: it is one of exactly the length that its area has, and no mistyped mobile.
fn has_lost_its_0(national: &str, area: usize) -> bool {
    let code = national.get(..area).unwrap_or_default();
    let eight = area == 2 || BEFORE_EIGHT.binary_search(&code).is_ok();
    national.len() == area + if eight { 8 } else { 7 }
}

/// After +86, or 86: the 0 before an area code or a mobile is for calls inside the country.
pub(super) fn after_country_code(national: &str) -> Result<String, &'static str> {
    known(national.strip_prefix('0').unwrap_or(national))
}

fn known(national: &str) -> Result<String, &'static str> {
    match (kind(national), area(national)) {
        (Some(_), _) => Ok(e164(national)),
        (None, Some(_)) => Err(SUBSCRIBER),
        (None, None) if national.starts_with('1') => Err(NUMBER),
        (None, None) => Err(AREA),
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
