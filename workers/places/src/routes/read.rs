//! `GET /v1/places/{id}`

use domain::PlaceId;
use edge::change_seqs::{CHANGE_SEQ, ChangeSeqs};
use edge::{Answer, Body, Call, Database, Error};
use http_semantics::{Problem, Tag};

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
    let version = row.integer(1).unwrap_or_default();
    let tag = Tag::of_version(version);
    if call.preconditions()?.not_modified(Some(version)) {
        return Ok(Answer::not_modified(&tag));
    }
    let counter = row.integer(2);
    Ok(Answer::record(Body::Js(row.value(0)), &tag)
        .made_at(counter.map(ChangeSeqs::of_table))
        .header_if(CHANGE_SEQ, counter.map(|counter| counter.to_string())))
}
