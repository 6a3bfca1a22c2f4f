//! The type of a place, and the rules that concern only one place.

use domain::name::{Name, Normalize};
use http_semantics::fields::Fields;
use http_semantics::json::Object;
use http_semantics::problem::FieldError;
use serde_json::json;
use tables::TableSpec;
use tables::record::{Record, UniqueValue};
use tables::schema::PLACE;

/// A place without its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The name.
    pub name: Name,
}

impl Record for Place {
    fn table() -> &'static TableSpec {
        &PLACE
    }

    fn parse(mut fields: Fields, normalize: Normalize) -> Result<Self, Vec<FieldError>> {
        let name = fields.name(normalize);
        fields.finish(&PLACE.fields, name.map(|name| Self { name }))
    }

    fn to_object(&self) -> Object {
        Object::from_iter([("name", json!(self.name.as_str()))])
    }

    fn name(&self) -> &Name {
        &self.name
    }

    fn unique_value(&self, normalize: Normalize) -> Option<UniqueValue> {
        Some(UniqueValue {
            value: self.name.case_key(normalize),
            field: "name",
            expected: "another one, because names of places are unique whatever their case",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Place, Vec<FieldError>> {
        let object = Object::parse(body.as_bytes()).unwrap();
        Place::parse(Fields::new(object), Normalize::NONE)
    }

    #[test]
    fn a_place_has_a_name_and_no_other_field() {
        let place = parse(r#"{"name":"Madrid"}"#).unwrap();
        assert_eq!(place.name().as_str(), "Madrid");
        assert_eq!(json!(place.to_object().0), json!({"name": "Madrid"}));
        for invalid in ["{}", r#"{"name":1}"#, r#"{"name":"Madrid","kings":1}"#] {
            assert!(parse(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn the_names_of_two_places_differ_in_more_than_case() {
        let key = |name: &str| {
            let name = Name::new(name, Normalize::NONE).unwrap();
            Place { name }.unique_value(Normalize::NONE).unwrap().value
        };
        assert_eq!(key("Madrid"), key("MADRID"));
        assert_ne!(key("Madrid"), key("Madrid 2"));
    }
}
