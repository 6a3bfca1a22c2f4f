//! What the writes of one person share: the record in, the rules, the row out.

use edge::{Answer, Body, Error, Row};
use registry::fields::Fields;
use registry::json::Object;
use registry::problem::FieldError;
use registry::{PersonId, PlaceId, Problem, Tag};

use super::settling::{Current, Registrar};
use crate::domain::{Person, Residence};
use crate::store;

/// The addresses of people.
pub const PEOPLE: &str = "/v1/people";

/// A person from an object, whose id may be given as the address has it.
///
/// # Errors
/// Every field that is wrong.
pub fn person_of(object: Object, id: Option<PersonId>) -> Result<Person, Problem> {
    let mut fields = Fields::of(object);
    fields.own_id(id.map(PersonId::get));
    Person::read(fields, edge::normalize).map_err(|errors| Problem::invalid_record(&errors))
}

impl Current {
    /// The person in the register.
    ///
    /// # Errors
    /// A record that is none: the register's own fault.
    pub fn person(&self) -> Result<Person, Error> {
        let body = self.body.as_string().unwrap_or_default();
        let mut fields = Fields::of(Object::read(body.as_bytes())?);
        fields.forget("id");
        Person::read(fields, str::to_owned).map_err(|_| Error::Platform {
            doing: "reading a person of the register",
            reason: "it breaks a rule".to_owned(),
        })
    }

    /// The answer that shows it.
    #[must_use]
    pub fn into_answer(self) -> Answer {
        Answer::record(Body::Js(self.body), &Tag::of_version(self.version))
    }
}

/// What a write has made.
pub struct Written {
    /// Who.
    pub id: i64,
    /// The version now.
    pub version: i64,
    body: wasm_bindgen::JsValue,
}

impl Written {
    /// The one person that a statement has written, if it has.
    #[must_use]
    pub fn of(rows: &[Row]) -> Option<Self> {
        let row = rows.first()?;
        Some(Self {
            id: row.integer(0)?,
            version: row.integer(1)?,
            body: row.value(2),
        })
    }

    /// A write among many that refers to a place anew: who, in which version, and the place.
    #[must_use]
    pub fn reference(row: &Row) -> Option<(store::Write, i64)> {
        Some(((row.integer(0)?, row.integer(1)?), row.integer(4)?))
    }

    /// The answer that shows it.
    #[must_use]
    pub fn into_answer(self) -> Answer {
        Answer::record(Body::Js(self.body), &Tag::of_version(self.version))
    }

    /// The same for a new person.
    #[must_use]
    pub fn into_created(self) -> Answer {
        let location = format!("{PEOPLE}/{}", self.id);
        self.into_answer().created(location)
    }
}

impl Registrar {
    /// The place of a write must stand before it is even tried.
    ///
    /// # Errors
    /// A place that does not.
    pub async fn must_stand(&self, place: Option<PlaceId>) -> Result<(), Error> {
        let Some(place) = place.map(PlaceId::get) else {
            return Ok(());
        };
        let standings = self.standings(&[place].into()).await?;
        Ok(standings.check(place)?)
    }

    /// What a write that was refused is told: a second king, with the first.
    pub async fn refused(&self, error: Error, residence: Residence) -> Error {
        let Some(place) = residence
            .place()
            .filter(|_| error.is_unique("person.place_id"))
        else {
            return error;
        };
        match self.database.row(&store::king(place)).await {
            Ok(Some(king)) => {
                let (id, name) = (king.integer(0), king.text(1));
                let (id, name) = (id.unwrap_or_default(), name.unwrap_or_default());
                Problem::place_has_king(place.get(), id, &name).into()
            }
            // The king is gone again: the same request may succeed now.
            Ok(None) => Problem::being_written().into(),
            Err(error) => error,
        }
    }
}

/// A crown is not taken by somebody who is only moving in: the one who lost it would not get
/// it back if the move were undone.
#[must_use]
pub fn depose_needs_a_resident() -> Problem {
    Problem::invalid_record(&[FieldError {
        pointer: "/placeId".to_owned(),
        detail: "as it is, with `depose`: move first, then crown".to_owned(),
    }])
}
