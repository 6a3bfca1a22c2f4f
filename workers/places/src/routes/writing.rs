//! What the writes of one place share: the record in, the row out.

use edge::{Answer, Body, Database, Error, Row};
use registry::fields::Fields;
use registry::json::Object;
use registry::{PlaceId, Problem, Tag};
use wasm_bindgen::JsValue;

use crate::domain::Place;
use crate::store;

/// The addresses of places.
pub const PLACES: &str = "/v1/places";

/// A place from an object, whose id may be given as the address has it.
///
/// # Errors
/// Every field that is wrong.
pub fn place_of(object: Object, id: Option<PlaceId>) -> Result<Place, Problem> {
    let mut fields = Fields::of(object);
    fields.own_id(id.map(PlaceId::get));
    Place::read(fields, edge::normalize).map_err(|errors| Problem::invalid_record(&errors))
}

/// A place as the register has it.
pub struct Current {
    body: JsValue,
    /// Its version.
    pub version: i64,
}

impl Current {
    /// The place with an id.
    ///
    /// # Errors
    /// What D1 says.
    pub async fn of(database: &Database, id: PlaceId) -> Result<Option<Self>, Error> {
        let row = database.row(&store::read(id)).await?;
        Ok(row.map(|row| Self {
            body: row.value(0),
            version: row.integer(1).unwrap_or_default(),
        }))
    }

    /// The one that a statement has written, if it has.
    #[must_use]
    pub fn written(rows: &[Row]) -> Option<(i64, Self)> {
        let row = rows.first()?;
        let (body, version) = (row.value(2), row.integer(1)?);
        Some((row.integer(0)?, Self { body, version }))
    }

    /// The place in the register.
    ///
    /// # Errors
    /// A record that is none: the register's own fault.
    pub fn place(&self) -> Result<Place, Error> {
        let body = self.body.as_string().unwrap_or_default();
        let mut fields = Fields::of(Object::read(body.as_bytes())?);
        fields.forget("id");
        Place::read(fields, str::to_owned).map_err(|_| Error::Platform {
            doing: "reading a place of the register",
            reason: "it breaks a rule".to_owned(),
        })
    }

    /// The answer that shows it.
    #[must_use]
    pub fn into_answer(self) -> Answer {
        Answer::record(Body::Js(self.body), &Tag::of_version(self.version))
    }
}

/// What a write that was refused is told: a name that is taken, with who has it.
pub async fn refused(database: &Database, error: Error, place: &Place) -> Error {
    if !error.is_unique("place.name_key") {
        return error;
    }
    match database.row(&store::named(&place.name)).await {
        Ok(Some(row)) => Problem::name_taken(row.integer(0).unwrap_or_default()).into(),
        // The name is free again: the same request may succeed now.
        Ok(None) => Problem::being_written().into(),
        Err(error) => error,
    }
}
