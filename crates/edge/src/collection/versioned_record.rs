//! A record together with its version, and the responses that contain it.

use domain::name::Normalize;
use http_semantics::fields::Fields;
use http_semantics::json::Object;
use http_semantics::{Problem, Tag, Validator};
use js_sys::JsString;
use tables::Record;
use wasm_bindgen::JsValue;

use crate::d1::Row;
use crate::error::Error;
use crate::http::response::{Body, Response};

/// A record in one of its versions. Its JSON stays a JavaScript value until something reads it.
pub struct VersionedRecord {
    /// The id.
    pub id: i64,
    /// The version.
    pub version: Validator,
    /// The JSON.
    pub body: JsValue,
}

impl VersionedRecord {
    /// The record of a row with the columns `version`, `epoch` and `body`.
    #[must_use]
    pub fn from_row(id: i64, row: &Row) -> Self {
        Self {
            id,
            version: row.validator("version").unwrap_or_default(),
            body: row.value("body"),
        }
    }

    /// The record in the row that a statement returned: (id, version, epoch, body). None if the statement
    /// wrote nothing.
    #[must_use]
    pub fn from_returning(rows: &[Row]) -> Option<Self> {
        let row = rows.first()?;
        Some(Self::from_row(row.integer("id")?, row))
    }

    /// Parses the record.
    ///
    /// # Errors
    /// A stored record that is invalid.
    pub fn record<T: Record>(&self) -> Result<T, Error> {
        let body = self.body.as_string().unwrap_or_default();
        let mut fields = Fields::from_stored(Object::parse(body.as_bytes())?);
        fields.ignore("id");
        T::parse(fields, Normalize::NONE).map_err(|_| Error::Platform {
            doing: "reading a stored record",
            reason: "it is invalid".to_owned(),
        })
    }

    /// The response with the record.
    #[must_use]
    pub fn into_response(self) -> Response {
        Response::record(Body::Js(self.body), &Tag::from_version(self.version))
    }

    /// The response to the request that created it.
    #[must_use]
    pub fn created_response<T: Record>(self) -> Response {
        let location = format!("{}/{}", T::table().path(), self.id);
        self.into_response().created(location)
    }

    /// The response to a repetition of the request that created it.
    #[must_use]
    pub fn replayed_response<T: Record>(self) -> Response {
        self.created_response::<T>()
            .header("idempotency-replayed", "true")
    }
}

/// Parses the record in the body of a request. The body may repeat the id of the path.
///
/// # Errors
/// A problem that lists all invalid fields.
pub fn parse_record<T: Record>(object: Object, id: Option<i64>) -> Result<T, Problem> {
    let mut fields = Fields::new(object);
    fields.own_id(id);
    T::parse(fields, NORMALIZE).map_err(|errors| Problem::invalid_record(&errors))
}

/// The platform's normalization, which makes Unicode's tables unnecessary in wasm.
pub const NORMALIZE: Normalize = Normalize {
    composed: |text| normalize(text, "NFC"),
    decomposed: |text| normalize(text, "NFD"),
};

fn normalize(text: &str, form: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    String::from(JsString::from(text).normalize(form))
}
