//! `GET /v1/people/population/series`: sends the population at each of several times.

use edge::collection::list_unchanged;
use edge::{Body, Database, Error, Request, Response};
use http_semantics::Tag;
use tables::series::SeriesQuery;

use crate::store;

/// The population of a place, or of all places, at several times.
///
/// # Errors
/// An invalid query.
pub async fn series(request: Request) -> Result<Response, Error> {
    let params = request.params(SeriesQuery::PARAMETERS_WITH_PLACE)?;
    let query = SeriesQuery::from_params(&params, edge::now())?;
    let format = request.table_format(&params)?;
    // A series until now has other points each time, so its change sequence does not identify it.
    let known = request
        .known_change_seq(format)?
        .filter(|_| query.has_fixed_end);
    let statement = store::series(&query, format, known);
    let database = Database::new(&request.env)?;
    let Some((row, change_seq)) = database.row_if_changed(&statement, known).await? else {
        return Ok(list_unchanged(format, known));
    };
    let tag = Tag::from_change_seqs(format, &[change_seq]);
    let tag = query.has_fixed_end.then(|| tag.to_string());
    let body = Body::Js(row.value("body"));
    Ok(Response::ok(format.content_type(), body).header_if("etag", tag))
}
