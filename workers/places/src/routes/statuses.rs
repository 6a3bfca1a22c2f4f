//! `GET /internal/statuses`: says which of several places exist. The people worker calls it to
//! check the places of a pending write. Clients cannot reach this path, because the gateway does
//! not forward requests to it.

use domain::Param;
use domain::id::Ids;
use domain::place_status::PlaceStatuses;
use edge::{Database, Error, Request, Response};
use http_semantics::Problem;

use crate::store;

/// The status of places: `{"active":[1,2],"deleting":[3]}`. A place in neither list does not exist.
///
/// # Errors
/// An invalid list of ids.
pub async fn statuses(request: Request) -> Result<Response, Error> {
    let ids: Option<Ids> = request.params(&["ids"])?.get("ids")?;
    let ids = ids.ok_or_else(|| Problem::invalid_parameter("ids", Ids::EXPECTED))?;
    let rows = Database::new(&request.env)?
        .rows(&store::statuses(&ids.to_json()))
        .await?;
    let mut statuses = PlaceStatuses::default();
    for row in &rows {
        let places = if row.boolean("is_deleting") {
            &mut statuses.deleting
        } else {
            &mut statuses.active
        };
        places.extend(row.integer("id"));
    }
    let body = serde_json::to_string(&statuses).map_err(|_| Problem::internal())?;
    Ok(Response::json(body))
}
