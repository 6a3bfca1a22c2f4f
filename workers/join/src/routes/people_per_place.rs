//! `GET /v1/people-per-place` and `GET /v1/people-per-place/{id}`: send places with their people.

use edge::{Error, Request, Response};
use http_semantics::MediaType;

use crate::backends::{Backends, Known, list_is_unchanged};
use crate::domain::{ListQuery, ReadQuery};
use crate::service::people_per_place;

/// A page of places with their people.
///
/// # Errors
/// An invalid query, or a problem of the places service.
pub async fn list(request: Request) -> Result<Response, Error> {
    let params = request.params(ListQuery::PARAMETERS)?;
    let query = ListQuery::read(&params)?;
    let format = request.table_format(&params)?;
    let known = if query.has_people.is_some() {
        Known::of_steps(&request, format).await?
    } else {
        Known::of_list(&request, format).await?
    };
    if let Known::Current(seqs) = known {
        return Ok(list_is_unchanged(format, seqs));
    }
    let backends = Backends::with_timings(&request)?;
    let (query_text, is_head) = (&request.query, request.is_head());
    people_per_place::list(backends, query, query_text, format, is_head, known.seqs()).await
}

/// One place with its people.
///
/// # Errors
/// An invalid id or query, a place that does not exist, or a problem of the places service.
pub async fn read(request: Request) -> Result<Response, Error> {
    let query = ReadQuery::read(&request.params(ReadQuery::PARAMETERS)?)?;
    let id = request.id()?;
    let known = request.preconditions()?.known_change_seqs(MediaType::Json);
    let backends = Backends::with_timings(&request)?;
    people_per_place::read(&backends, id, &query, known).await
}
