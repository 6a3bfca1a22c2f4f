//! `GET /v1/places`

use edge::{Answer, Call, Database, Error};
use http_semantics::media::TABLE;

use crate::domain::PlaceList;
use crate::store;

/// A page of places.
///
/// # Errors
/// A query that cannot be used.
pub async fn list(call: Call) -> Result<Answer, Error> {
    let list = PlaceList::read(&call.params(PlaceList::PARAMETERS)?)?;
    let format = call.format(TABLE)?;
    let seen = call.seen(format)?;
    let page = Database::of(&call.env)?
        .page(&store::list(&list, format, seen))
        .await?;
    Ok(page.into_answer(format, "/v1/places", &call.query, seen))
}
