//! A record of a register: as it was read, as it was written, or as it was answered before.

use http_semantics::fields::Fields;
use http_semantics::json::Object;
use http_semantics::{Problem, Tag};
use tables::import::Record;
use wasm_bindgen::JsValue;

use crate::d1::Row;
use crate::error::Error;
use crate::http::response::{Answer, Body};
use crate::unicode::normalize;

/// A record in a version. Its JSON stays a JavaScript value until something reads it.
pub struct Stored {
    /// The id.
    pub id: i64,
    /// The version.
    pub version: i64,
    /// The JSON.
    pub body: JsValue,
}

impl Stored {
    /// The one record that a statement has written, if it has: a row of (id, version, body).
    #[must_use]
    pub fn written(rows: &[Row]) -> Option<Self> {
        let row = rows.first()?;
        Some(Self {
            id: row.integer(0)?,
            version: row.integer(1)?,
            body: row.value(2),
        })
    }

    /// The record itself.
    ///
    /// # Errors
    /// One that breaks a rule: the register's own fault.
    pub fn record<T: Record>(&self) -> Result<T, Error> {
        let body = self.body.as_string().unwrap_or_default();
        let mut fields = Fields::of(Object::read(body.as_bytes())?);
        fields.forget("id");
        T::read(fields, str::to_owned).map_err(|_| Error::Platform {
            doing: "reading a record of the register",
            reason: "it breaks a rule".to_owned(),
        })
    }

    /// The answer that shows it.
    #[must_use]
    pub fn into_answer(self) -> Answer {
        Answer::record(Body::Js(self.body), &Tag::of_version(self.version))
    }

    /// The same for a new record of a collection.
    #[must_use]
    pub fn into_created(self, collection: &str) -> Answer {
        let location = format!("{collection}/{}", self.id);
        self.into_answer().created(location)
    }

    /// The same once more.
    #[must_use]
    pub fn replayed(self, collection: &str) -> Answer {
        self.into_created(collection)
            .header("idempotency-replayed", "true")
    }
}

/// The record that a body's object is, whose id may be given as the address has it.
///
/// # Errors
/// Every field that is wrong.
pub fn record_of<T: Record>(object: Object, id: Option<i64>) -> Result<T, Problem> {
    let mut fields = Fields::of(object);
    fields.own_id(id);
    T::read(fields, normalize).map_err(|errors| Problem::invalid_record(&errors))
}
