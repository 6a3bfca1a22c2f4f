//! `GET /v1/places/as-of`

use edge::{Answer, Call, Database, Error};
use http_semantics::media::TABLE_MEDIA_TYPES;

use crate::domain::PlacesAsOf;
use crate::store;

/// A page of places as they were.
///
/// # Errors
/// A query that cannot be used.
pub async fn as_of(call: Call) -> Result<Answer, Error> {
    let ask = PlacesAsOf::read(&call.params(PlacesAsOf::PARAMETERS)?, edge::now())?;
    let format = call.format(TABLE_MEDIA_TYPES)?;
    let seen = call.seen(format)?;
    let page = Database::of(&call.env)?
        .page(&store::as_of(&ask, format, seen))
        .await?;
    Ok(page.into_answer(format, "/v1/places/as-of", &call.query, seen))
}
