//! Names and values that come in, as the declared fields.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::model::fields::{Field, FieldName, FieldSet, Invalid};
use crate::model::ids::RecordKind;
use crate::model::problems;
use crate::model::submitted::Submitted;
use crate::vault::Error;
use crate::vault::core::rules::Rules;

/// Values that come in for declared fields, by field name.
pub type Values = BTreeMap<String, Submitted>;

/// Values in normal form, and those that break their field's rule.
#[derive(Default)]
pub(in crate::vault) struct Sorted<'r> {
    pub(in crate::vault) good: Vec<(&'r Field, Submitted)>,
    pub(in crate::vault) bad: Vec<Invalid>,
}

impl Rules {
    pub(in crate::vault) fn field(&self, name: &str) -> Result<&Field, Error> {
        const UNKNOWN: Error = Error::Bad(problems::UNKNOWN_FIELD);
        self.fields.get(name).ok_or(UNKNOWN)
    }

    /// Names that came in as the declared fields of one kind of record.
    pub(in crate::vault) fn names(&self, record: RecordKind, names: &[String]) -> Result<Vec<FieldName>, Error> {
        let of_record = |field: &&Field| field.record() == record;
        let name = |name: &String| {
            let field = Some(self.field(name)?).filter(of_record);
            let field = field.ok_or(Error::Bad(problems::UNKNOWN_FIELD))?;
            Ok(field.name().clone())
        };
        let names: Vec<FieldName> = names.iter().map(name).collect::<Result<_, Error>>()?;
        if names.is_empty() {
            return Err(Error::Bad(problems::NO_FIELDS));
        }
        if names.iter().collect::<BTreeSet<_>>().len() != names.len() {
            return Err(Error::Bad(problems::REPEATED_FIELD));
        }
        Ok(names)
    }

    /// Values in normal form, in the order of declaration, or everything that is wrong with them.
    pub(in crate::vault) fn normalise(
        &self,
        record: RecordKind,
        values: &Values,
        today: Date,
    ) -> Result<Vec<(&Field, Submitted)>, Error> {
        let Sorted { good, bad } = Sorted::of(&self.fields, today, record, values, &[])?;
        if bad.is_empty() {
            Ok(good)
        } else {
            Err(Error::Invalid(bad))
        }
    }
}

impl<'v> Sorted<'v> {
    /// Values by whether they keep their field's rule, in the order of declaration, without those of some fields. `today` is
    /// the date in UTC.
    pub(in crate::vault) fn of(
        fields: &'v FieldSet,
        today: Date,
        record: RecordKind,
        values: &Values,
        without: &[&str],
    ) -> Result<Self, Error> {
        let of_record = |name: &String| fields.get(name).is_some_and(|field| field.record() == record);
        if !values.keys().all(of_record) {
            return Err(Error::Bad(problems::UNKNOWN_FIELD));
        }
        let mut sorted = Self::default();
        for field in fields.of(record) {
            let name = field.name().as_str();
            let value = values.get(name).filter(|_| !without.contains(&name));
            match value.map(|value| field.normalise(value, today)) {
                Some(Ok(value)) => sorted.good.push((field, value)),
                Some(Err(invalid)) => sorted.bad.push(invalid),
                None => {}
            }
        }
        Ok(sorted)
    }
}
