//! Extensions: the ways in which people mark them, and the parameters of a `tel:` address (RFC 3966 §3).

use std::borrow::Cow;

use super::{all_digits, is_separator};
use crate::model::fields::text::QUOTES;
use crate::model::fields::value_rules::{Broken, PHONE_CHARACTERS, PHONE_EXTENSION, PHONE_TWO};

/// The most digits after a mark that says extension, and after signs that may as well stand between two numbers: a landline
/// without its area code has seven.
const MOST_DIGITS: usize = 8;
const MOST_UNMARKED: usize = 6;

/// What stands before an extension: words as printed and as spoken, the signs of address books, and the characters that make a
/// telephone wait before it dials on. A word that begins another one comes after it.
const MARKS: [&str; 26] = [
    "extension",
    "extn",
    "ext",
    "x",
    "×",
    "转分机",
    "转接",
    "转",
    "接",
    "拨",
    "按",
    "小号",
    "分机号码",
    "分机号",
    "分机",
    "分機",
    "内线",
    "內線",
    "доб",
    "anexo",
    "int",
    "#",
    "*",
    "~",
    "p",
    "w",
];
/// What may stand after one: `转8003分机`, `转8003号`.
const ENDS: [&str; 4] = ["分机", "分機", "号", "#"];

/// What stands before a number in a list or on a card. A word that begins another one comes after it.
const LABELS: [&str; 36] = [
    "本人电话",
    "联系电话",
    "联系方式",
    "联系手机",
    "固定电话",
    "移动电话",
    "热线电话",
    "办公电话",
    "家庭电话",
    "电话号码",
    "电话",
    "手机号码",
    "手机号",
    "手机",
    "座机",
    "固话",
    "热线",
    "传真",
    "telephone",
    "tel",
    "mobile",
    "mob",
    "phone number",
    "phone no",
    "phone",
    "ph",
    "cell",
    "fax",
    "hotline",
    "callto",
    "sms",
    "t",
    "m",
    "☎",
    "✆",
    "📞",
];

/// A number as written, and its extension.
pub(super) struct Written<'w> {
    pub(super) number: Cow<'w, str>,
    pub(super) extension: Option<Extension<'w>>,
}

/// What stands where an extension may.
pub(super) struct Extension<'w> {
    digits: Cow<'w, str>,
    /// A word or sign says that it is one; a comma, a semicolon or a hyphen does not.
    marked: bool,
    /// A sign that stands in lists, 、, is before it.
    listed: bool,
}

/// Number and extension, if there is one.
pub(super) fn split(plain: &str) -> Result<Written<'_>, Broken> {
    let plain = plain.trim_matches(|c| c == ' ' || c == '=' || QUOTES.contains(&c));
    let plain = without_label(user(plain)).trim_matches([' ', ',', '、', '.']);
    match plain.split_once(';') {
        Some((number, parameters)) => Ok(with_parameters(number, parameters)),
        None => marked(plain),
    }
}

/// The user of a SIP address (RFC 3261 §19.1), as exchanges present whoever calls; anything else as it is.
fn user(plain: &str) -> &str {
    let plain = address(plain);
    let sip = plain.strip_prefix("sip:").or_else(|| plain.strip_prefix("sips:"));
    sip.map_or(plain, |address| address.split('@').next().unwrap_or_default())
}

/// The address behind a name, `"张三" <sip:…>;tag=1` (RFC 3261 §20.10); anything else as it is.
pub(super) fn address(plain: &str) -> &str {
    let inside = plain.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    let inside = inside.map(|(address, _)| address.trim());
    let of_caller = |address: &&str| {
        ["sip:", "sips:", "tel:"]
            .iter()
            .any(|scheme| address.starts_with(scheme))
    };
    inside.filter(of_caller).unwrap_or(plain)
}

/// Without `tel:` (RFC 3966), `手机：`, `Tel. ` and the like before a number.
fn without_label(plain: &str) -> &str {
    let plain = plain.trim_start();
    let label = LABELS.iter().find_map(|label| plain.strip_prefix(label));
    let number = label.map(|rest| rest.trim_start_matches([':', '.', ' ', '-', '/']));
    number
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '(')))
        .unwrap_or(plain)
}

impl<'w> Extension<'w> {
    /// Without a word or sign of its own.
    pub(super) const fn unmarked(digits: &'w str) -> Self {
        Self {
            digits: Cow::Borrowed(digits),
            marked: false,
            listed: false,
        }
    }

    /// Its digits.
    pub(super) fn check(self) -> Result<Cow<'w, str>, Broken> {
        let most = if self.marked { MOST_DIGITS } else { MOST_UNMARKED };
        let listed = self.listed && !self.marked;
        if self.digits.len() <= most && all_digits(&self.digits) && !listed {
            return Ok(self.digits);
        }
        let number = |c: char| c.is_ascii_digit() || c == '+' || is_separator(c);
        if !self.marked && self.digits.chars().all(number) {
            return Err(PHONE_TWO);
        }
        if !self.digits.is_empty() && !self.digits.contains(|c: char| c.is_ascii_digit()) {
            return Err(PHONE_CHARACTERS);
        }
        Err(PHONE_EXTENSION)
    }
}

/// `+86-10-62345678;ext=8003`, `62345678;phone-context=+86-10`, and the 8003 that a telephone waits before: `62345678;8003`.
fn with_parameters<'w>(number: &'w str, parameters: &'w str) -> Written<'w> {
    let (mut context, mut extension) = ("", None);
    for parameter in parameters
        .split(';')
        .map(|parameter| parameter.trim_matches([' ', ',']))
    {
        match parameter.split_once('=') {
            // Its digits may have signs between them, as those of the number.
            Some(("ext" | "extension", digits)) => {
                extension = Some(Extension {
                    digits: digits.chars().filter(|c| !is_separator(*c)).collect(),
                    marked: true,
                    listed: false,
                });
            }
            Some(("phone-context", global)) if global.starts_with('+') => context = global,
            // A subaddress, and what a program added.
            Some(_) => {}
            None if parameter.is_empty() => {}
            None => extension = Some(after_marks(parameter)),
        }
    }
    let number = if number.starts_with('+') || context.is_empty() {
        Cow::Borrowed(number)
    } else {
        Cow::Owned(format!("{context}{number}"))
    };
    Written { number, extension }
}

/// `010-62345678转8003`, `(010)62345678 ext. 8003`, `010-62345678（分机：8003）`.
fn marked(plain: &str) -> Result<Written<'_>, Broken> {
    let in_number = |c: char| c.is_ascii_digit() || c == '+' || is_separator(c);
    let Some((number, rest)) = plain.find(|c| !in_number(c)).and_then(|at| plain.split_at_checked(at)) else {
        return Ok(Written {
            number: Cow::Borrowed(plain),
            extension: None,
        });
    };
    let extension = after_marks(rest);
    if extension.digits.len() == rest.len() || number.is_empty() {
        return Err(PHONE_CHARACTERS);
    }
    Ok(Written {
        number: Cow::Borrowed(number),
        extension: Some(extension),
    })
}

/// What is left without marks, and without signs at either end.
fn after_marks(rest: &str) -> Extension<'_> {
    let signs = |c: char| is_separator(c) || matches!(c, ':' | ',' | '、');
    let plain = rest.trim_matches(signs);
    let mut digits = plain;
    while let Some(after) = MARKS.iter().find_map(|mark| digits.strip_prefix(mark)) {
        digits = after.trim_start_matches(signs);
    }
    while let Some(before) = ENDS.iter().find_map(|end| digits.strip_suffix(end)) {
        digits = before.trim_end_matches(signs);
    }
    Extension {
        digits: Cow::Borrowed(digits),
        marked: digits.len() < plain.len(),
        listed: rest.contains('、'),
    }
}
