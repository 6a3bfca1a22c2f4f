//! `GET /internal/population-changes`: sends the latest changes of the population of a place.

use domain::{Moment, PlaceId};
use edge::collection::CHANGE_SEQ_HEADER;
use edge::{Body, Database, Error, Request, Response};
use http_semantics::{MediaType, Problem};
use tables::page::PageSize;

use crate::store;

/// A time after all changes, in milliseconds since 1970.
const LATEST: i64 = 1 << 50;

/// The latest changes of the population of a place, for its page: an array of objects. Each has the
/// time (`at`) and the author (`by`). It also has the `id` of the person, and the person before the
/// change (`before`) and after it (`record`). For many changes at the same time there is only one
/// object. Instead of a person, it has the numbers of `living` and `dead` people after them.
///
/// # Errors
/// An invalid query.
pub async fn population_changes(request: Request) -> Result<Response, Error> {
    let params = request.params(&["placeId", "before", "limit"])?;
    let place: Option<PlaceId> = params.get("placeId")?;
    let place = place.ok_or_else(|| Problem::invalid_parameter("placeId", "the id of a place"))?;
    let before: Option<Moment> = params.get("before")?;
    let before = before.map_or(LATEST, |moment| moment.milliseconds());
    let limit: PageSize = params.get("limit")?.unwrap_or_default();
    let statement = store::population_changes(place, before, limit.get().into());
    let row = Database::new(&request.env)?.row(&statement).await?;
    let row = row.ok_or_else(Problem::internal)?;
    let change_seq = row.text("change_seq").ok_or_else(Problem::internal)?;
    Ok(
        Response::ok(MediaType::Json.content_type(), Body::Js(row.value("body")))
            .header(CHANGE_SEQ_HEADER, change_seq),
    )
}
