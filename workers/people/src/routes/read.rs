//! `GET /v1/people/{id}`

use domain::PersonId;
use edge::{Answer, Body, Call, Database, Error};
use http_semantics::{Problem, Tag};

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
    let version = row.integer(1).unwrap_or_default();
    let tag = Tag::of_version(version);
    if call.preconditions()?.not_modified(Some(version)) {
        return Ok(Answer::not_modified(&tag));
    }
    let change_seqs = row.integer(2).map(edge::ChangeSeqs::of_table);
    Ok(Answer::record(Body::Js(row.value(0)), &tag).made_at(change_seqs))
}
