//! `GET /v1/places/as-of`

use edge::{Database, Error, Request, Response};
use http_semantics::media::TABLE_MEDIA_TYPES;

use crate::domain::PlacesAsOf;
use crate::store;

/// A page of places as they were.
///
/// # Errors
/// A query that cannot be used.
pub async fn as_of(request: Request) -> Result<Response, Error> {
    let ask = PlacesAsOf::read(&request.params(PlacesAsOf::PARAMETERS)?, edge::now())?;
    let format = request.format(TABLE_MEDIA_TYPES)?;
    let seen = request.known_change_seq(format)?;
    let page = Database::new(&request.env)?
        .page(&store::as_of(&ask, format, seen))
        .await?;
    Ok(page.into_response(format, "/v1/places/as-of", &request.query, seen))
}
