//! `GET /internal/matches`: sends the ids of all places that match. The gateway calls it when only
//! the people service knows the requested order. Clients cannot reach this path, because the
//! gateway does not forward requests to it.

use edge::collection::CHANGE_SEQ_HEADER;
use edge::{Body, Database, Error, Request, Response};
use http_semantics::{MediaType, Problem};
use tables::ListQuery;
use tables::list::{self, MAX_MATCHES};
use tables::schema::PLACE;

use crate::domain::PlacesAsOfQuery;
use crate::store;

/// The ids of all places that match, now or at a time, as a JSON array.
///
/// # Errors
/// An invalid query, or too many matches.
pub async fn matches(request: Request) -> Result<Response, Error> {
    let params = request.params(&["q", "asOf"])?;
    let query = PlacesAsOfQuery::from_params(&params, edge::now(), edge::NORMALIZE)?;
    let statement = if query.as_of.is_some() {
        store::ids_as_of(&query)
    } else {
        let query = ListQuery::from_params(&PLACE, &params, edge::NORMALIZE)?;
        list::ids(&PLACE, &query)
    };
    let row = Database::new(&request.env)?.row(&statement).await?;
    let row = row.ok_or_else(Problem::internal)?;
    let change_seq = row.validator("change_seq").ok_or_else(Problem::internal)?;
    let body = row.value("body");
    if body.is_null() {
        return Err(Problem::too_many_matches(MAX_MATCHES).into());
    }
    Ok(Response::ok(MediaType::Json.content_type(), Body::Js(body))
        .header(CHANGE_SEQ_HEADER, change_seq.to_string()))
}
