//! Telephone numbers of every country, against the Python port of libphonenumber (`tests/data/phone_numbers.py`).

use std::collections::BTreeSet;

use super::{normal_of, shipped};
use crate::model::fields::Field;

const TABLE: &str = include_str!("../../../../tests/data/phone_numbers.tsv");

/// Countries whose lengths changed between the metadata of the crate (9.0.33) and of the table.
const CHANGED: [&str; 2] = ["GM", "ZW"];
/// E.164 §6; the library takes more.
const LONGEST: usize = 1 + 15;
/// The library's example for a landline of Beijing, where no subscriber's number begins with 1.
const NO_SUBSCRIBER: &str = "+861012345678";

/// What is kept of a spelling beside what the library makes of it, where they differ and must not.
fn difference(field: &Field, region: &str, spelling: &str, number: &str) -> Option<String> {
    let ours = normal_of(field, spelling);
    if let Ok(kept) = &ours {
        assert_eq!(normal_of(field, kept).as_ref(), Ok(kept), "{spelling}: taken in again");
    }
    let refused = number.len() > LONGEST || number == NO_SUBSCRIBER;
    let expected = if refused { "-" } else { number };
    if ours.as_deref().unwrap_or("-") == expected || CHANGED.contains(&region) {
        return None;
    }
    // A mainland number behind a plus sign, which the country does not assign: we ask, the library does not.
    let asked = ours.is_err_and(|rule| rule.contains("did you mean +86"));
    let mainland = || normal_of(field, number.trim_start_matches('+')).is_ok();
    (!asked || !mainland()).then(|| format!("{region} {spelling}: {:?}, not {number}", normal_of(field, spelling)))
}

#[test]
fn numbers_of_every_country_are_what_libphonenumber_makes_of_them() {
    let fields = shipped();
    let field = fields.get("caller_number").unwrap();
    let (mut regions, mut compared) = (BTreeSet::new(), 0);
    let mut differing = Vec::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let mut columns = line.split('\t');
        let (region, number) = (columns.next().unwrap(), columns.next().unwrap());
        regions.insert(region);
        for spelling in columns {
            compared += 1;
            differing.extend(difference(field, region, spelling, number));
        }
    }
    assert!(regions.len() > 240 && compared > 8_000, "{} {compared}", regions.len());
    assert!(
        differing.is_empty(),
        "{} of {compared}:\n{}",
        differing.len(),
        differing.join("\n")
    );
}
