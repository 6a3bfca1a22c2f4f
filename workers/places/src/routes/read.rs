//! `GET /v1/places/{id}`

use edge::{Answer, Body, Call, Database, Error};
use registry::{Format, PlaceId, Problem};

use crate::store;

/// One place.
///
/// # Errors
/// An id that is none, or a place that does not exist.
pub async fn read(call: Call) -> Result<Answer, Error> {
    call.params(&[])?;
    let id: PlaceId = call.id()?;
    let row = Database::of(&call.env)?.row(&store::read(id)).await?;
    let row = row.ok_or_else(|| Problem::not_found("place", id.get()))?;
    Ok(Answer::ok(
        Format::Json.media_type(),
        Body::Js(row.value(0)),
    ))
}
