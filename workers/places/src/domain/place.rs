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
