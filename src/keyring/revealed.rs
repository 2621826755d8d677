//! `Revealed`: fields on their way out, and the one way out.

use zeroize::Zeroizing;

use super::KeyError;
use crate::log::{LogPosition, Receipt};
use crate::model::fields::{FieldName, FieldSet};
use crate::model::purposes::Form;

/// Fields that a receipt allows to leave, already in the form it names. No `Debug`, `Clone` or `Serialize`: only
/// [`Revealed::disclose`] gives the values, and `clippy.toml` counts its callers.
pub struct Revealed {
    fields: Vec<(FieldName, Zeroizing<String>)>,
    at: LogPosition,
}

/// What leaves: values in the form that was logged, and where the log has it.
pub struct Disclosed {
    /// Field and value, in the order they were asked for; a field not on file is absent.
    pub fields: Vec<(FieldName, String)>,
    /// The read's place in the log.
    pub at: LogPosition,
}

impl Revealed {
    /// Consumes the receipt: one read in the log, one disclosure.
    pub(super) fn new(
        opened: Vec<(FieldName, Zeroizing<Vec<u8>>)>,
        fields: &FieldSet,
        receipt: Receipt,
    ) -> Result<Self, KeyError> {
        let form = receipt.form().ok_or(KeyError::Broken)?;
        let shown = |(name, plain): (FieldName, Zeroizing<Vec<u8>>)| {
            let clear = std::str::from_utf8(&plain).map_err(|_| KeyError::Broken)?;
            let field = fields.get(name.as_str()).ok_or(KeyError::Broken)?;
            let value = match form {
                Form::Clear => clear.to_owned(),
                Form::Masked => field.mask(clear),
            };
            Ok((name, Zeroizing::new(value)))
        };
        let fields = opened.into_iter().map(shown).collect::<Result<_, KeyError>>()?;
        Ok(Self {
            fields,
            at: receipt.into_position(),
        })
    }

    /// The values, for the response that answers this one read.
    #[must_use]
    pub fn disclose(mut self) -> Disclosed {
        let fields = self
            .fields
            .iter_mut()
            .map(|(name, value)| (name.clone(), std::mem::take(&mut **value)))
            .collect();
        Disclosed { fields, at: self.at }
    }
}
