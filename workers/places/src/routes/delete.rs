//! `DELETE /v1/places/{id}`

use domain::PlaceId;
use domain::place_status::RETRY_DELAYS_MS;
use edge::collection::{not_found, read_current};
use edge::{Database, Error, Request, Response, pause};
use http_semantics::Problem;

use crate::domain::Place;
use crate::service::Deletion;
use crate::store;

/// The query parameters.
pub const PARAMETERS: &[&str] = &["reassignTo"];

/// Deletes a place. Its residents move to the place in `reassignTo`. Without the parameter, a place
/// with residents is not deleted. The history of the place stays.
///
/// Two deletions can conflict: both delete the same place, or one moves people to the place that
/// the other deletes. The later one waits for the other, for at most the sum of
/// [`RETRY_DELAYS_MS`].
///
/// # Errors
/// A place that does not exist, a precondition that fails, or residents.
pub async fn delete(request: Request) -> Result<Response, Error> {
    let reassign_to: Option<PlaceId> = request.params(PARAMETERS)?.get("reassignTo")?;
    let id: PlaceId = request.id()?;
    if reassign_to == Some(id) {
        let expected = "the id of another place than the one to be deleted";
        return Err(Problem::invalid_parameter("reassignTo", expected).into());
    }
    let preconditions = request.preconditions()?;
    let deletion = Deletion::new(&request.env, id, reassign_to)?;
    let mut conflicting = id;
    for milliseconds in [0].into_iter().chain(RETRY_DELAYS_MS) {
        if milliseconds > 0 {
            pause(milliseconds).await;
        }
        let current = read_current::<Place>(&deletion.database, id).await?;
        let current = current.ok_or_else(|| not_found::<Place>(id))?;
        preconditions.check(Some(current.version))?;
        if let Some(token) = deletion.begin(current.version.number).await? {
            deletion.run(token).await?.into_result(id)?;
            return Ok(Response::no_content());
        }
        conflicting = conflicting_place(&deletion.database, id, reassign_to).await?;
    }
    Err(Problem::place_is_deleting(conflicting.get()).into())
}

/// The place whose deletion prevents this one from beginning: the target, or else the place itself.
///
/// # Errors
/// A target that does not exist.
async fn conflicting_place(
    database: &Database,
    id: PlaceId,
    reassign_to: Option<PlaceId>,
) -> Result<PlaceId, Error> {
    let Some(target) = reassign_to else {
        return Ok(id);
    };
    let rows = database
        .rows(&store::statuses(&format!("[{target}]")))
        .await?;
    match rows.first() {
        None => Err(Problem::no_such_place(target.get()).into()),
        Some(row) if row.boolean("is_deleting") => Ok(target),
        Some(_) => Ok(id),
    }
}
