//! Values as people have them: what is kept of each, and what equals what. All persons and numbers are invented.

mod accounts;
mod addresses;
mod countries;
mod documents;
mod identity;
mod names;
mod phone;
mod plates;
mod text;

use jiff::civil::date;
use proptest::prelude::*;

use super::{Field, FieldSet};
use crate::model::submitted::Submitted;

fn shipped() -> FieldSet {
    FieldSet::shipped().unwrap()
}

fn normal_of(field: &Field, value: &str) -> Result<String, &'static str> {
    let normal = field.normalise(&Submitted::new(value.to_owned()), date(2026, 11, 24));
    normal
        .map(|normal| normal.expose().to_owned())
        .map_err(|invalid| invalid.rule().words.en)
}

/// What is kept of each of these values, which must be the same, and the same again when it is taken in itself.
fn kept(name: &str, spellings: &[&str]) -> String {
    let fields = shipped();
    let field = fields.get(name).unwrap();
    let mut kept: Option<String> = None;
    for spelling in spellings {
        let normal = normal_of(field, spelling).unwrap_or_else(|rule| panic!("{spelling}: {rule}"));
        assert_eq!(
            normal_of(field, &normal).as_ref(),
            Ok(&normal),
            "{spelling}: taken in again"
        );
        if let Some(kept) = &kept {
            assert_eq!(kept, &normal, "{spelling}");
        }
        kept = Some(normal);
    }
    kept.unwrap()
}

/// The rule that a value breaks.
fn refused(name: &str, value: &str) -> &'static str {
    let fields = shipped();
    normal_of(fields.get(name).unwrap(), value).expect_err(value)
}

/// Whether two values are found by each other.
fn same(name: &str, one: &str, other: &str) -> bool {
    let fields = shipped();
    let field = fields.get(name).unwrap();
    let folded = [one, other].map(|value| {
        let normal = normal_of(field, value).unwrap_or_else(|rule| panic!("{value}: {rule}"));
        field
            .indexed(&Submitted::new(normal))
            .unwrap()
            .value
            .expose()
            .to_owned()
    });
    folded[0] == folded[1]
}

proptest! {
    /// Letters, digits and signs that values have, and everything that nobody sees.
    #[test]
    fn what_is_kept_of_any_value_is_kept_of_it_again(
        value in "([0-9A-Za-z王张·.@：:;,/（）() _\\-+\u{200c}\u{200d}\u{300}ابक्ᠠ👩☎\u{fe0f}\u{e0100}\u{180b}]|\\p{Cf}|\\p{M}|\\PC){1,24}",
    ) {
        for field in shipped().iter() {
            if let Ok(normal) = normal_of(field, &value) {
                prop_assert_eq!(normal_of(field, &normal), Ok(normal.clone()), "{}: {:?}", field.name(), value);
            }
        }
    }
}
