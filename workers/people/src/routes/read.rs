//! `GET /v1/people/{id}`

use edge::{Answer, Body, Call, Database, Error};
use registry::{Format, PersonId, Problem};

use crate::store;

/// One person.
///
/// # Errors
/// An id that is none, or a person who does not exist.
pub async fn read(call: Call) -> Result<Answer, Error> {
    call.params(&[])?;
    let id: PersonId = call.id()?;
    let row = Database::of(&call.env)?.row(&store::read(id)).await?;
    let row = row.ok_or_else(|| Problem::not_found("person", id.get()))?;
    Ok(Answer::ok(
        Format::Json.media_type(),
        Body::Js(row.value(0)),
    ))
}
