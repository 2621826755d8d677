//! Accounts: e-mail addresses and WeChat names.

use email_address::{EmailAddress, Options};
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::text::{HIDDEN, folded, in_one_case, is_dash};
use super::value_rules::{Broken, EMAIL, EMAIL_LONG, WECHAT};

/// The mailbox as it is written, and the domain in the form that people read (UTS 46): `user@bücher.example`.
pub(super) fn email(value: &str) -> Result<String, Broken> {
    // A Chinese input method types 。 for the dot, on either side of the @.
    let plain = folded(value).replace('。', ".").replace(" @", "@").replace("@ ", "@");
    let plain = without_label(
        &plain,
        &["mailto", "邮箱", "电子邮箱", "电子邮件", "email", "e-mail", "mail"],
    );
    let plain = plain
        .trim_start_matches(['<', '\'', '`'])
        .trim_end_matches(['.', ',', ';', '>', ' ', '、', '\'']);
    let (mailbox, domain) = plain.rsplit_once('@').ok_or(EMAIL)?;
    let (domain, mapped) = Uts46::new().to_unicode(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast);
    mapped.map_err(|_| EMAIL)?;
    // The last part is a word: with digits alone it would be an address of the Internet protocol.
    let last = domain.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|b| b.is_ascii_digit()) {
        return Err(EMAIL);
    }
    if mailbox.len() + 1 + ascii(&domain).ok_or(EMAIL)?.len() > 254 {
        return Err(EMAIL_LONG);
    }
    let address = format!("{mailbox}@{domain}");
    let options = Options::default()
        .with_required_tld()
        .without_domain_literal()
        .without_display_text();
    // A star is allowed by the RFC and used by nobody but masks.
    if address.contains('*') || EmailAddress::parse_with_options(&address, options).is_err() {
        return Err(EMAIL);
    }
    Ok(address)
}

/// Without one of these words and a colon before it.
fn without_label<'v>(plain: &'v str, labels: &[&str]) -> &'v str {
    let labelled = plain.split_once(':').filter(|(label, _)| {
        let label = label.trim().to_lowercase();
        labels.contains(&label.as_str())
    });
    labelled.map_or(plain, |(_, rest)| rest.trim_start())
}

/// The domain as the name system has it: `xn--bcher-kva.example`.
fn ascii(domain: &str) -> Option<String> {
    let (strict, hyphens, length) = (AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify);
    let ascii = Uts46::new().to_ascii(domain.as_bytes(), strict, hyphens, length);
    ascii.ok().map(std::borrow::Cow::into_owned)
}

/// The mailbox in one case: no provider in use tells `Dongsheng` from `dongsheng`, and RFC 5321 §2.4 warns against it.
pub(super) fn fold_email(normal: &str) -> String {
    match normal.rsplit_once('@') {
        Some((mailbox, domain)) => {
            let domain = ascii(domain).unwrap_or_else(|| domain.to_owned());
            format!("{}@{domain}", in_one_case(mailbox))
        }
        None => normal.to_owned(),
    }
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
pub(super) fn wechat(value: &str) -> Result<String, Broken> {
    let plain = folded(value);
    let plain = without_label(&plain, &["微信", "微信号", "wechat", "weixin", "wx"]);
    let plain = plain
        .trim_start_matches(['\'', '@'])
        .trim_end_matches(['。', '.', ',', ';', '\'']);
    let plain: String = plain.chars().map(|c| if is_dash(c) { '-' } else { c }).collect();
    let begins = plain
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    let usual = plain
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if begins && usual && (6..=20).contains(&plain.len()) {
        Ok(plain)
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
