//! `GET /v1/places/as-of`: sends the places as they were at a time.

use edge::collection::{list_unchanged, page_response};
use edge::{Database, Error, Request, Response};
use http_semantics::media::TABLE_MEDIA_TYPES;

use crate::domain::PlacesAsOfQuery;
use crate::store;

/// A page of the places as of a time.
///
/// # Errors
/// An invalid query.
pub async fn as_of(request: Request) -> Result<Response, Error> {
    let params = request.params(PlacesAsOfQuery::PARAMETERS)?;
    let query = PlacesAsOfQuery::from_params(&params, edge::now(), edge::NORMALIZE)?;
    let format = request.format(TABLE_MEDIA_TYPES)?;
    let known = request.known_change_seq(format)?;
    let statement = store::as_of(&query, format, known);
    let database = Database::new(&request.env)?;
    match database.row_if_changed(&statement, known).await? {
        Some(row) => page_response(&row, format, "/v1/places/as-of", &request.query),
        None => Ok(list_unchanged(format, known)),
    }
}
