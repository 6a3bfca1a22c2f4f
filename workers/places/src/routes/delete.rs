//! `DELETE /v1/places/{id}`

use domain::PlaceId;
use domain::place_status::RETRY_DELAYS_MS;
use edge::collection::read_current;
use edge::{Database, Error, Request, Response, pause};
use http_semantics::Problem;

use crate::domain::Place;
use crate::service::Deletion;
use crate::store;

/// The parameters of the query.
pub const PARAMETERS: &[&str] = &["reassignTo"];

/// Removes a place in which nobody lives, or whose people go to another one first
/// (`?reassignTo=ID`). The history stays.
///
/// # Errors
/// A place that does not exist, a precondition that fails, or people who live there.
pub async fn delete(request: Request) -> Result<Response, Error> {
    let reassign_to: Option<PlaceId> = request.params(PARAMETERS)?.get("reassignTo")?;
    let id: PlaceId = request.id()?;
    if reassign_to == Some(id) {
        let expected = "the id of another place than the one to be deleted";
        return Err(Problem::invalid_parameter("reassignTo", expected).into());
    }
    let preconditions = request.preconditions()?;
    let deletion = Deletion::new(&request.env, id, reassign_to)?;
    let mut busy = id;
    for milliseconds in [0].into_iter().chain(RETRY_DELAYS_MS) {
        if milliseconds > 0 {
            pause(milliseconds).await;
        }
        let current = read_current::<Place>(&deletion.database, id).await?;
        let current = current.ok_or_else(|| Problem::not_found("place", id.get()))?;
        preconditions.check(Some(current.version))?;
        if let Some(token) = deletion.mark(current.version).await? {
            deletion.finish(token).await?.into_result(id)?;
            return Ok(Response::no_content());
        }
        busy = busy_place(&deletion.database, id, reassign_to).await?;
    }
    Err(Problem::place_is_deleting(busy.get()).into())
}

/// The place whose deletion prevents the mark.
///
/// # Errors
/// The place that the people go to does not exist.
async fn busy_place(
    database: &Database,
    id: PlaceId,
    reassign_to: Option<PlaceId>,
) -> Result<PlaceId, Error> {
    let Some(to) = reassign_to else {
        return Ok(id);
    };
    let statuses = store::statuses(&format!("[{id},{to}]"));
    let rows = database.rows(&statuses).await?;
    let target = rows.iter().find(|row| row.integer("id") == Some(to.get()));
    match target {
        None => Err(Problem::no_such_place(to.get()).into()),
        Some(row) if row.boolean("is_deleting") => Ok(to),
        Some(_) => Ok(id),
    }
}
