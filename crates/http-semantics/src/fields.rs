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
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_stored_name_is_accepted_even_if_it_could_no_longer_be_written() {
        let object = || Object::parse("{\"name\":\"\u{200b}x\"}".as_bytes()).unwrap();
        assert!(Fields::new(object()).name(Normalize::NONE).is_none());
        let stored = Fields::from_stored(object()).name(Normalize::NONE);
        assert_eq!(stored.unwrap().as_str(), "\u{200b}x");
    }

    #[test]
    fn the_expected_ids_have_the_limits_of_the_domain() {
        for (expected, limit) in [
            (PersonId::EXPECTED, PersonId::MAX_ID),
            (EXPECTED_CHOICE, PersonId::MAX_CHOSEN_ID),
            (EXPECTED_IMPORTED_ID, PersonId::MAX_IMPORTED_ID),
        ] {
            assert!(expected.ends_with(&format!(" to {limit}")), "{expected}");
        }
    }

    #[test]
    fn a_float_without_a_fraction_is_an_integer() {
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
            assert_eq!(integer(&value), number, "{value}");
        }
    }

    fn fields(json: &str) -> Fields {
        Fields::new(Object::parse(json.as_bytes()).unwrap())
    }

    #[test]
    fn a_field_without_a_value_is_absent() {
        for (json, has) in [
            ("{}", false),
            (r#"{"x":null}"#, false),
            (r#"{"x":0}"#, true),
        ] {
            assert_eq!(fields(json).has("x"), has, "{json}");
        }
    }

    #[test]
    fn a_name_is_required() {
        for json in ["{}", r#"{"name":null}"#, r#"{"name":7}"#] {
            let mut fields = fields(json);
            let name = fields.name(Normalize::NONE);
            let errors = fields.finish(&["name"], name).unwrap_err();
            let pointers: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
            assert_eq!(pointers, ["/name"], "{json}");
        }
    }

    #[test]
    fn the_name_of_a_place_is_valid_or_absent() {
        let place = |json| {
            let mut fields = fields(json);
            let name = fields.place_name("place", Normalize::NONE);
            let name = name.map(|name| name.as_str().to_owned());
            fields.finish(&["place"], Some(name)).ok()
        };
        assert_eq!(place(r#"{"place":" Ur "}"#), Some(Some("Ur".to_owned())));
        assert_eq!(place("{}"), Some(None));
        assert_eq!(place(r#"{"place":""}"#), None);
    }

    #[test]
    fn a_boolean_is_false_if_it_is_absent() {
        for (json, expected) in [
            ("{}", Some(false)),
            (r#"{"isKing":null}"#, Some(false)),
            (r#"{"isKing":false}"#, Some(false)),
            (r#"{"isKing":true}"#, Some(true)),
            (r#"{"isKing":"true"}"#, None),
        ] {
            let mut fields = fields(json);
            let value = fields.boolean("isKing");
            assert_eq!(
                fields.finish(&["isKing"], Some(value)).ok(),
                expected,
                "{json}"
            );
        }
    }

    #[test]
    fn the_id_of_a_record_is_that_of_its_path_or_absent() {
        for (json, path_id, is_valid) in [
            ("{}", None, true),
            ("{}", Some(7), true),
            (r#"{"id":7}"#, Some(7), true),
            (r#"{"id":8}"#, Some(7), false),
            (r#"{"id":"7"}"#, Some(7), false),
            (r#"{"id":7}"#, None, false),
            (r#"{"id":null}"#, None, false),
        ] {
            let mut fields = fields(json);
            fields.own_id(path_id);
            let result = fields.finish(&["id"], Some(()));
            assert_eq!(result.is_ok(), is_valid, "{json} {path_id:?}");
        }
    }

    #[test]
    fn the_fields_that_were_not_taken_are_left() {
        let mut valid = fields(r#"{"id":7,"x":1,"y":2}"#);
        valid.ignore("x");
        assert_eq!(valid.imported_id(), Some(7));
        let rest = Object::from_iter([("y", json!(2))]);
        assert_eq!(valid.into_rest(), Ok(rest));
        let mut invalid = fields(r#"{"id":0,"y":2}"#);
        assert_eq!(invalid.imported_id(), None);
        assert_eq!(invalid.into_rest().unwrap_err().len(), 1);
    }

    #[test]
    fn an_unknown_field_is_named_if_its_name_is_plain() {
        let errors = fields(r#"{"age":7,"a/b~c":8}"#).finish(&["id", "name"], Some(()));
        let expected = "left out: the fields are id, name";
        let errors = errors.unwrap_err().into_iter();
        let mut errors: Vec<_> = errors.map(|error| (error.pointer, error.detail)).collect();
        errors.sort();
        let of = |pointer: &str| (pointer.to_owned(), expected.to_owned());
        assert_eq!(errors, [of("/"), of("/age")]);
        let mut named = fields("{}");
        named.add_error("a/b~c", "left out");
        assert_eq!(named.into_rest().unwrap_err()[0].pointer, "/a~1b~0c");
    }

    #[test]
    fn a_problem_lists_ten_unknown_fields_and_that_there_are_others() {
        let members = (0..1000).map(|n| format!("\"f{n}\":{n}"));
        let json = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        let errors = fields(&json).finish(&["name"], Some(())).unwrap_err();
        let details = errors.iter().map(|error| error.detail.as_str());
        let (listed, others) = details.partition::<Vec<_>, _>(|detail| detail.starts_with("left"));
        assert_eq!(listed.len(), 10);
        assert_eq!(others, ["without its other unknown fields"]);
    }

    #[test]
    fn the_id_of_a_place_is_a_whole_number_from_1() {
        let place = |json: &str| {
            let mut fields = fields(json);
            let place = fields.place_id("placeId");
            fields.finish(&["placeId"], Some(place.map(PlaceId::get)))
        };
        assert_eq!(place(r#"{"placeId":7}"#), Ok(Some(7)));
        assert_eq!(place(r#"{"placeId":null}"#), Ok(None));
        for invalid in [r#"{"placeId":0}"#, r#"{"placeId":"7"}"#] {
            assert!(place(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn the_id_of_another_record_needs_its_condition() {
        let record = |json: &str| {
            let mut fields = fields(json);
            let is_even = |id: PersonId| id.get() % 2 == 0;
            let record = fields.record_id("parent", "even", is_even);
            fields.finish(&["parent"], Some(record))
        };
        assert_eq!(record(r#"{"parent":8}"#), Ok(Some(8)));
        assert_eq!(record("{}"), Ok(None));
        for invalid in [r#"{"parent":7}"#, r#"{"parent":0}"#] {
            assert!(record(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn a_version_is_a_whole_number_from_1() {
        let version = |json: &str| {
            let mut fields = fields(json);
            let version = fields.version("version");
            fields.finish(&["version"], version)
        };
        assert_eq!(version(r#"{"version":3}"#), Ok(3));
        for invalid in [
            r#"{"version":0}"#,
            r#"{"version":"3"}"#,
            r#"{"version":1.5}"#,
        ] {
            assert!(version(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn an_imported_id_has_a_limit_and_may_be_absent() {
        let id = |json: &str| {
            let mut fields = fields(json);
            let id = fields.imported_id();
            fields.finish(&["id"], Some(id))
        };
        let limit = PersonId::MAX_IMPORTED_ID;
        assert_eq!(id("{}"), Ok(None));
        assert_eq!(id(&format!(r#"{{"id":{limit}}}"#)), Ok(Some(limit)));
        for invalid in ["0".to_owned(), (limit + 1).to_string()] {
            assert!(id(&format!(r#"{{"id":{invalid}}}"#)).is_err(), "{invalid}");
        }
    }
}
