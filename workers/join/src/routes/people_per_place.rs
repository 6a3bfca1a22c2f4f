//! `GET /v1/people-per-place` and `GET /v1/people-per-place/{id}`

use edge::{Answer, Call, Error};
use http_semantics::MediaType;
use http_semantics::media::LIST_MEDIA_TYPES;
use tables::page::PeopleLimit;

use crate::backends::{Backends, unchanged};
use crate::domain::{ListQuery, READ_PARAMETERS};
use crate::service::people_per_place;

/// A page of places with their people.
///
/// # Errors
/// An invalid query, or a problem of the places service.
pub async fn list(call: Call) -> Result<Answer, Error> {
    let query = ListQuery::read(&call.params(ListQuery::PARAMETERS)?)?;
    let format = call.format(LIST_MEDIA_TYPES)?;
    if let Some(tag) = unchanged(&call, format).await? {
        return Ok(Answer::not_modified(&tag));
    }
    let backends = Backends::for_reader(&call)?;
    people_per_place::list(backends, query, &call.query, format, call.is_head()).await
}

/// One place with its people.
///
/// # Errors
/// An invalid id or query, a place that does not exist, or a problem of the places service.
pub async fn read(call: Call) -> Result<Answer, Error> {
    let limit: Option<PeopleLimit> = call.params(READ_PARAMETERS)?.get("peopleLimit")?;
    let id = call.id()?;
    let known = call.preconditions()?.known_change_seqs(MediaType::Json);
    let backends = Backends::for_reader(&call)?;
    people_per_place::read(&backends, id, limit.unwrap_or_default(), known).await
}
