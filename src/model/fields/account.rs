//! Accounts: e-mail addresses and WeChat names.

use email_address::{EmailAddress, Options};

use super::text::{HIDDEN, folded};

const EMAIL: &str = "it is not an e-mail address (RFC 5322 §3.4.1)";
const EMAIL_LONG: &str = "an e-mail address has at most 254 characters (RFC 5321 §4.5.3.1)";
const WECHAT: &str = "a WeChat name is a letter and 5 to 19 letters, digits, hyphens or underscores";

/// The mailbox alone, its domain in lower case; the part before @ is kept as it is.
pub(super) fn email(value: &str) -> Result<String, &'static str> {
    let plain = folded(value);
    if plain.len() > 254 {
        return Err(EMAIL_LONG);
    }
    let options = Options::default()
        .with_required_tld()
        .without_domain_literal()
        .without_display_text();
    // A star is allowed by the RFC and used by nobody but masks.
    if plain.contains('*') || EmailAddress::parse_with_options(&plain, options).is_err() {
        return Err(EMAIL);
    }
    let (mailbox, domain) = plain.rsplit_once('@').ok_or(EMAIL)?;
    Ok(format!("{mailbox}@{}", domain.to_ascii_lowercase()))
}

/// `d****@126.com`.
pub(super) fn mask_email(normal: &str) -> String {
    match normal
        .rsplit_once('@')
        .map(|(mailbox, domain)| (mailbox.chars().next(), domain))
    {
        Some((Some(first), domain)) => format!("{first}{HIDDEN}@{domain}"),
        _ => HIDDEN.to_owned(),
    }
}

/// As written, letters of either case.
pub(super) fn wechat(value: &str) -> Result<String, &'static str> {
    let plain = folded(value);
    let begins = plain.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    let usual = plain
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if begins && usual && (6..=20).contains(&plain.len()) {
        Ok(plain.as_str().to_owned())
    } else {
        Err(WECHAT)
    }
}

/// The first of several characters.
pub(super) fn mask_first(normal: &str) -> String {
    let mut chars = normal.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(_)) => format!("{first}{HIDDEN}"),
        _ => HIDDEN.to_owned(),
    }
}
