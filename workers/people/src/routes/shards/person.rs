//! One person, who is in one of the databases.

use edge::shards::Shards;
use edge::{Answer, Body, Call, Error};
use registry::shards::handover::Whereabouts;
use registry::{PersonId, Problem, Tag};

use super::find::at_rest;

/// `GET /v1/people/{id}`
///
/// # Errors
/// An id that is none, or a person who does not exist.
pub async fn person(call: Call, shards: &Shards) -> Result<Answer, Error> {
    call.params(&[])?;
    let id: PersonId = call.id()?;
    let (rows, whereabouts) = at_rest(shards, id).await?;
    let row = match whereabouts {
        Whereabouts::In(shard) => rows.get(shard),
        _ => None,
    };
    let row = row.ok_or_else(|| Problem::not_found("person", id.get()))?;
    let version = row.integer(5).unwrap_or_default();
    let tag = Tag::of_version(version);
    if call.preconditions()?.not_modified(Some(version)) {
        return Ok(Answer::not_modified(&tag));
    }
    let counter = rows.iter().filter_map(|row| row.integer(8)).sum();
    Ok(Answer::record(Body::Js(row.value(4)), &tag).of_marks(Some([counter, 0])))
}
