//! Reads the fields of a record from a request body.
//!
//! A parser takes the fields one by one. It collects the invalid fields, so that the problem lists
//! all of them. The fields that it has not taken at the end are unknown.

use serde_json::Value;

use crate::json::Object;
use crate::problem::{FieldError, is_plain_name};
use domain::name::{self, Name, Normalize};
use domain::{Param, PersonId, PlaceId, RecordId};

/// The maximum number of unknown fields that a problem lists. A body may have thousands.
const MAX_LISTED_UNKNOWN: usize = 10;

/// The fields that have not been taken yet, and the errors of those that have.
#[derive(Debug)]
pub struct Fields {
    remaining: Object,
    errors: Vec<FieldError>,
    /// Whether the object is a stored record, whose name was valid when it was written.
    is_stored: bool,
}

impl Fields {
    /// The fields of an object.
    #[must_use]
    pub fn new(object: Object) -> Self {
        Self {
            remaining: object,
            errors: Vec::new(),
            is_stored: false,
        }
    }

    /// The fields of a stored record.
    #[must_use]
    pub fn from_stored(object: Object) -> Self {
        Self {
            is_stored: true,
            ..Self::new(object)
        }
    }

    /// Whether a field has a value other than `null`.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        let value = self.remaining.0.get(field);
        value.is_some_and(|value| !value.is_null())
    }

    /// Adds the error of a field. `expected` ends the sentence "it must be …".
    pub fn add_error(&mut self, field: &str, expected: &str) {
        self.errors.push(FieldError {
            pointer: format!("/{}", field.replace('~', "~0").replace('/', "~1")),
            detail: expected.to_owned(),
        });
    }

    /// Takes an optional field. `null` counts as absent.
    pub fn optional<T>(
        &mut self,
        field: &str,
        expected: &str,
        parse: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.remaining.0.remove(field)?;
        if value.is_null() {
            return None;
        }
        let parsed = parse(&value);
        if parsed.is_none() {
            self.add_error(field, expected);
        }
        parsed
    }

    /// Takes a required field. `null` counts as absent.
    pub fn required<T>(
        &mut self,
        field: &str,
        expected: &str,
        parse: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        if !self.has(field) {
            self.add_error(field, expected);
        }
        self.optional(field, expected, parse)
    }

    /// Takes the name, which is required.
    pub fn name(&mut self, normalize: Normalize) -> Option<Name> {
        let is_stored = self.is_stored;
        self.required("name", name::EXPECTED, |value| {
            let text = value.as_str()?;
            if is_stored {
                Some(Name::from_stored(text))
            } else {
                Name::new(text, normalize)
            }
        })
    }

    /// Takes a boolean. Absent means false.
    pub fn boolean(&mut self, field: &str) -> bool {
        self.optional(field, "true or false", Value::as_bool)
            .unwrap_or(false)
    }

    /// Takes the id of a place.
    pub fn place_id(&mut self, field: &str) -> Option<PlaceId> {
        self.optional(field, PlaceId::EXPECTED, |value| {
            PlaceId::new(integer(value)?)
        })
    }

    /// Takes the id of another record, for which a condition holds.
    pub fn record_id(
        &mut self,
        field: &str,
        expected: &str,
        is_valid: impl FnOnce(PersonId) -> bool,
    ) -> Option<i64> {
        let id = self.optional(field, expected, |value| {
            let id = PersonId::new(integer(value)?)?;
            is_valid(id).then_some(id)
        });
        id.map(PersonId::get)
    }

    /// Takes the name of a place.
    pub fn place_name(&mut self, field: &str, normalize: Normalize) -> Option<Name> {
        self.optional(field, name::EXPECTED, |value| {
            Name::new(value.as_str()?, normalize)
        })
    }

    /// Takes the version of a record.
    pub fn version(&mut self, field: &str) -> Option<i64> {
        self.optional(field, "a whole number from 1", |value| {
            integer(value).filter(|version| *version >= 1)
        })
    }

    /// Takes a field without reading it.
    pub fn ignore(&mut self, field: &str) {
        self.remaining.0.remove(field);
    }

    /// Takes the id of the record. It must equal the id in the path, or the one of the operation.
    /// Without such an id the database assigns one, and the body must not contain any.
    pub fn own_id(&mut self, id: Option<i64>) {
        let Some(value) = self.remaining.0.remove("id") else {
            return;
        };
        match id {
            None => self.add_error("id", "absent: the server assigns the id, or PUT chooses it"),
            Some(id) if integer(&value) == Some(id) => {}
            Some(_) => self.add_error("id", "the same id as outside of the body, or absent"),
        }
    }

    /// Takes the id of an imported record, if it has one.
    pub fn imported_id(&mut self) -> Option<i64> {
        self.optional("id", EXPECTED_IMPORTED_ID, |value| {
            PersonId::new(integer(value)?)
                .filter(|id| id.is_importable())
                .map(PersonId::get)
        })
    }

    /// The fields that are left, if those that were taken are valid.
    ///
    /// # Errors
    /// All invalid fields.
    pub fn into_rest(self) -> Result<Object, Vec<FieldError>> {
        if self.errors.is_empty() {
            Ok(self.remaining)
        } else {
            Err(self.errors)
        }
    }

    /// The record, if all fields were valid and none is left.
    ///
    /// # Errors
    /// All invalid and unknown fields.
    pub fn finish<T>(mut self, known: &[&str], record: Option<T>) -> Result<T, Vec<FieldError>> {
        let unknown = std::mem::take(&mut self.remaining.0);
        for (n, field) in unknown.keys().enumerate() {
            if n == MAX_LISTED_UNKNOWN {
                self.add_error("", "without its other unknown fields");
                break;
            }
            let expected = format!("left out: the fields are {}", known.join(", "));
            self.add_error(if is_plain_name(field) { field } else { "" }, &expected);
        }
        match record {
            Some(record) if self.errors.is_empty() => Ok(record),
            _ => Err(self.errors),
        }
    }
}

/// The whole number of a JSON value. JSON does not distinguish 7.0 from 7.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a float without a fraction below 2^53 is a whole number"
)]
fn integer(value: &Value) -> Option<i64> {
    let from_float = |float: f64| {
        let is_exact = float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0;
        is_exact.then_some(float as i64)
    };
    value
        .as_i64()
        .or_else(|| value.as_f64().and_then(from_float))
}

/// The ids that a client may choose, to end the sentence "it must be …".
pub const EXPECTED_CHOICE: &str = "a whole number from 1 to 4503599627370496";

/// The ids that an import may choose, to end the sentence "it must be …".
pub const EXPECTED_IMPORTED_ID: &str = "a whole number from 1 to 9007194959773695";

#[cfg(test)]
mod tests;
