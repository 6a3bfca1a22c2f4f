//! The fields of a record in a body: each is taken once and read, every one that is wrong
//! is told of, and what is left over is unknown.

use serde_json::Value;

use crate::json::Object;
use crate::problem::FieldError;
use domain::name::{self, Name, Normalize};
use domain::{PersonId, PlaceId, RecordId};

/// The fields that have not been taken yet, and what was wrong with those that have.
#[derive(Debug)]
pub struct Fields {
    left: Object,
    errors: Vec<FieldError>,
}

impl Fields {
    /// The fields of an object.
    #[must_use]
    pub fn new(object: Object) -> Self {
        Self {
            left: object,
            errors: Vec::new(),
        }
    }

    /// Whether a field is there, and not `null`.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.left.0.get(field).is_some_and(|value| !value.is_null())
    }

    /// Says that a field is wrong.
    pub fn add_error(&mut self, field: &str, expected: &str) {
        self.errors.push(FieldError {
            pointer: format!("/{}", field.replace('~', "~0").replace('/', "~1")),
            detail: expected.to_owned(),
        });
    }

    /// Takes a field that may be left out: `null` says the same.
    pub fn optional<T>(
        &mut self,
        field: &str,
        expected: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.left.0.remove(field)?;
        if value.is_null() {
            return None;
        }
        let read = read(&value);
        if read.is_none() {
            self.add_error(field, expected);
        }
        read
    }

    /// Takes the name, which a record always has.
    pub fn name(&mut self, normalize: Normalize) -> Option<Name> {
        if self.left.0.get("name").is_none_or(Value::is_null) {
            self.left.0.remove("name");
            self.add_error("name", name::EXPECTED);
            return None;
        }
        self.optional("name", name::EXPECTED, |value| {
            Name::new(value.as_str()?, normalize)
        })
    }

    /// Takes a truth, false where it is left out.
    pub fn boolean(&mut self, field: &str) -> bool {
        self.optional(field, "true or false", Value::as_bool)
            .unwrap_or(false)
    }

    /// Takes the id of a place.
    pub fn place_id(&mut self, field: &str) -> Option<PlaceId> {
        self.optional(field, EXPECTED_ID, |value| PlaceId::new(whole(value)?))
    }

    /// Passes a field over.
    pub fn ignore(&mut self, field: &str) {
        self.left.0.remove(field);
    }

    /// Takes the record's own id, as far as it may be given: where the address names the
    /// record, it must be the same one; where the register gives the id, there is none.
    pub fn own_id(&mut self, address: Option<i64>) {
        let Some(given) = self.left.0.remove("id") else {
            return;
        };
        match address {
            None => self.add_error("id", "left out: the register gives it, or PUT chooses it"),
            Some(id) if whole(&given) == Some(id) => {}
            Some(_) => self.add_error("id", "the id of the address, or left out"),
        }
    }

    /// Takes an id that may be chosen.
    pub fn chosen_id(&mut self) -> Option<i64> {
        let expected = EXPECTED_CHOICE;
        self.optional("id", expected, |value| {
            PersonId::new(whole(value)?)
                .filter(|id| id.is_choosable())
                .map(PersonId::get)
        })
    }

    /// What has been read, if nothing was wrong and nothing is left over.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn finish<T>(mut self, known: &[&str], record: Option<T>) -> Result<T, Vec<FieldError>> {
        let left = std::mem::take(&mut self.left.0);
        for (field, _) in left {
            let expected = format!("left out: the fields are {}", known.join(", "));
            // A name of the client's own is shown only where it is plain.
            let is_plain = field.len() <= 40 && field.bytes().all(|b| b.is_ascii_alphanumeric());
            self.add_error(if is_plain { &field } else { "" }, &expected);
        }
        match record {
            Some(record) if self.errors.is_empty() => Ok(record),
            _ => Err(self.errors),
        }
    }
}

/// The whole number that a value is: to JSON, 7.0 is the same number as 7.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a float without a fraction below 2^53 is a whole number"
)]
fn whole(value: &Value) -> Option<i64> {
    let of_float = |float: f64| {
        let is_exact = float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0;
        is_exact.then_some(float as i64)
    };
    value.as_i64().or_else(|| value.as_f64().and_then(of_float))
}

/// What an id must be.
pub const EXPECTED_ID: &str = "a whole number from 1 to 9007199254740991";
/// What an id that a client chooses must be.
pub const EXPECTED_CHOICE: &str = "a whole number from 1 to 4503599627370496";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_number_is_whole_however_it_is_written() {
        for (value, number) in [
            (json!(7), Some(7)),
            (json!(7.0), Some(7)),
            (json!(-7.0), Some(-7)),
            (
                json!(9_007_199_254_740_991_i64),
                Some(9_007_199_254_740_991),
            ),
            (json!(9_007_199_254_740_992.0), None),
            (json!(1e300), None),
            (json!(7.5), None),
            (json!("7"), None),
            (json!(true), None),
        ] {
            assert_eq!(whole(&value), number, "{value}");
        }
    }
}
