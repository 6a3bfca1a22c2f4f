//! A place.

use domain::name::{Name, Normalize};
use http_semantics::fields::Fields;
use http_semantics::json::Object;
use http_semantics::problem::FieldError;
use serde_json::{Value, json};
use tables::import::{Claim, Column, Record};

/// A place without the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The name.
    pub name: Name,
}

impl Place {
    /// Reads what is left of the fields once the id has been taken.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn read(mut fields: Fields, normalize: Normalize) -> Result<Self, Vec<FieldError>> {
        let name = fields.name(normalize);
        fields.finish(&["id", "name"], name.map(|name| Self { name }))
    }

    /// The fields as they stand in a body.
    #[must_use]
    pub fn to_object(&self) -> Object {
        let members = [("name".to_owned(), json!(self.name.as_str()))];
        Object(members.into_iter().collect())
    }

    /// The place as a row to write: with the key of the name, and what names the row.
    #[must_use]
    pub fn to_row(&self, id: Option<i64>, version: Option<i64>) -> Value {
        json!({
            "id": id,
            "version": version,
            "name": self.name.as_str(),
            "key": self.name.key(),
        })
    }
}

impl Record for Place {
    const COLUMNS: &'static [Column] = &[Column::Whole("id"), Column::Text("name")];

    fn read(fields: Fields, normalize: Normalize) -> Result<Self, Vec<FieldError>> {
        Self::read(fields, normalize)
    }

    fn claim(&self) -> Option<Claim> {
        Some(Claim {
            of: self.name.key(),
            field: "name",
            expected: "another one, because names of places are unique whatever their case",
        })
    }
}
