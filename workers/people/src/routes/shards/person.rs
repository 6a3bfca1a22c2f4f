//! One person, who is in one of the databases.

use edge::shards::Shards;
use edge::{Answer, Body, Call, Error};
use registry::{PersonId, Problem, Tag};

use super::asked;
use crate::store;

/// `GET /v1/people/{id}`
///
/// # Errors
/// An id that is none, or a person who does not exist.
pub async fn person(call: Call, shards: &Shards) -> Result<Answer, Error> {
    call.params(&[])?;
    let id: PersonId = call.id()?;
    let (rows, counter) = asked(shards, store::read(id)).await?;
    let row = rows.into_iter().flatten().next();
    let row = row.ok_or_else(|| Problem::not_found("person", id.get()))?;
    let version = row.integer(1).unwrap_or_default();
    let tag = Tag::of_version(version);
    if call.preconditions()?.not_modified(Some(version)) {
        return Ok(Answer::not_modified(&tag));
    }
    Ok(Answer::record(Body::Js(row.value(0)), &tag).of_marks(Some([counter, 0])))
}
