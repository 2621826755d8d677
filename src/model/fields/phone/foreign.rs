//! Numbers of other countries, by the metadata of Google's libphonenumber in the crate `phonenumber`. The crate's own parser
//! is not used: it takes a trunk prefix off numbers that have none (Russia's 800, Belarus's 801) and leaves North America's on.
//! Here is libphonenumber's rule, which `src/model/fields/tests/countries.rs` holds to its Python port.

use std::borrow::Cow;

use phonenumber::Type;
use phonenumber::metadata::{DATABASE, Descriptor, Metadata};

use super::plan;
use crate::model::fields::value_rules::{self, Broken};

const LONGEST: usize = 15;
/// The kinds of numbers that a country assigns.
const KINDS: [Type; 10] = [
    Type::FixedLine,
    Type::Mobile,
    Type::TollFree,
    Type::PremiumRate,
    Type::SharedCost,
    Type::PersonalNumber,
    Type::Voip,
    Type::Pager,
    Type::Uan,
    Type::Voicemail,
];

/// E.164 of the digits after the plus sign, without the trunk prefix that is dialled inside the country only.
pub(super) fn e164(digits: &str) -> Result<String, Broken> {
    let (code, countries) = countries(digits).ok_or(value_rules::PHONE_COUNTRY)?;
    let (prefix, national) = digits.split_at_checked(code).ok_or(value_rules::PHONE_COUNTRY)?;
    let national = significant(&countries, national);
    let number = format!("{prefix}{national}");
    if plan::is_dialled_anywhere(&number) && !is_assigned(&countries, &national) {
        return Err(value_rules::PHONE_MEANT_MAINLAND);
    }
    // A number from which a prefix could be taken once more is none.
    let settled = significant(&countries, &national) == national;
    if !settled || number.len() > LONGEST || length(countries[0], &national) != Length::Possible {
        return Err(value_rules::PHONE_LENGTH);
    }
    Ok(format!("+{number}"))
}

/// How many digits the country code has, and the countries that share it, the largest first.
fn countries(digits: &str) -> Option<(usize, Vec<&'static Metadata>)> {
    (1..=3).find_map(|length| {
        let code: u16 = digits
            .get(..length)
            .filter(|code| !code.starts_with('0'))?
            .parse()
            .ok()?;
        Some((length, DATABASE.by_code(&code)?))
    })
}

/// The national number as it is dialled from abroad.
fn significant(countries: &[&Metadata], national: &str) -> String {
    without_zero(countries, &without_trunk(countries[0], national)).to_owned()
}

/// As `maybeStripNationalPrefixAndCarrierCode` of libphonenumber: the prefix goes, unless the number is one with it and none
/// without.
fn without_trunk<'n>(country: &Metadata, national: &'n str) -> Cow<'n, str> {
    let stripped = stripped(country, national).filter(|stripped| {
        let general = country.descriptors().general();
        let spoilt = is_match(general, national) && !is_match(general, stripped);
        !spoilt && !matches!(length(country, stripped), Length::Short | Length::Local | Length::Other)
    });
    stripped.unwrap_or(Cow::Borrowed(national))
}

/// Without the prefix, or as the country's rule transforms it (Argentina's 0 … 15 … becomes 9 …).
fn stripped<'n>(country: &Metadata, national: &'n str) -> Option<Cow<'n, str>> {
    let Some(prefix) = country.national_prefix_for_parsing() else {
        return national.strip_prefix(country.national_prefix()?).map(Cow::Borrowed);
    };
    let found = prefix
        .captures(national)
        .filter(|found| found.get(0).is_some_and(|whole| whole.start() == 0))?;
    let rest = national.get(found.get(0)?.end()..)?;
    let last = found.len() - 1;
    match country
        .national_prefix_transform_rule()
        .filter(|_| last > 0 && found.get(last).is_some())
    {
        Some(rule) => {
            let mut transformed = String::new();
            found.expand(rule, &mut transformed);
            Some(Cow::Owned(transformed + rest))
        }
        None => Some(Cow::Borrowed(rest)),
    }
}

/// Without a first 0 that no number of the country can have: +34 0…, where there is no trunk prefix to dial.
fn without_zero<'n>(countries: &[&Metadata], national: &'n str) -> &'n str {
    let rest = national
        .strip_prefix('0')
        .filter(|_| length(countries[0], national) != Length::Possible);
    rest.filter(|rest| is_assigned(countries, rest)).unwrap_or(national)
}

/// Whether a country assigns such numbers; metadata may lag behind.
fn is_assigned(countries: &[&Metadata], national: &str) -> bool {
    countries
        .iter()
        .any(|country| descriptors(country).any(|descriptor| is_match(descriptor, national)))
}

/// The whole number has the form of the descriptor.
fn is_match(descriptor: &Descriptor, national: &str) -> bool {
    let whole = descriptor.national_number().find(national);
    let lengths = descriptor.possible_length();
    whole.is_some_and(|found| found.start() == 0 && found.end() == national.len())
        && (lengths.is_empty() || fits(lengths, national))
}

fn fits(lengths: &[u16], national: &str) -> bool {
    lengths.iter().any(|&length| usize::from(length) == national.len())
}

fn descriptors(country: &Metadata) -> impl Iterator<Item = &Descriptor> {
    KINDS.into_iter().filter_map(|kind| country.descriptors().get(kind))
}

/// What the number of digits says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Length {
    Possible,
    /// Only between neighbours, without an area code.
    Local,
    Short,
    Long,
    /// Between the shortest and the longest, and no length in use.
    Other,
}

/// As `testNumberLength` of libphonenumber, over all kinds of numbers that the country has.
fn length(country: &Metadata, national: &str) -> Length {
    let lengths = || descriptors(country).flat_map(|descriptor| descriptor.possible_length());
    if descriptors(country).any(|descriptor| fits(descriptor.possible_length(), national)) {
        return Length::Possible;
    }
    if descriptors(country).any(|descriptor| fits(descriptor.possible_local_length(), national)) {
        return Length::Local;
    }
    let digits = national.len();
    match (lengths().min(), lengths().max()) {
        (Some(&shortest), _) if digits < usize::from(shortest) => Length::Short,
        (_, Some(&longest)) if digits > usize::from(longest) => Length::Long,
        _ => Length::Other,
    }
}
