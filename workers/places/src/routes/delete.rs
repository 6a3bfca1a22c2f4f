//! `DELETE /v1/places/{id}`

use edge::{Answer, Call, Database, Error, TRIES};
use registry::{PlaceId, Problem};

use super::deleting::Deletion;
use super::writing::current;
use crate::store;

/// The parameters of the query.
pub const PARAMETERS: &[&str] = &["reassignTo"];

/// Removes a place in which nobody lives, or whose people go to another one first
/// (`?reassignTo=ID`); the history stays.
///
/// # Errors
/// A place that does not exist, a precondition that is not met, or people who live there.
pub async fn delete(call: Call) -> Result<Answer, Error> {
    let reassign_to: Option<PlaceId> = call.params(PARAMETERS)?.get("reassignTo")?;
    let id: PlaceId = call.id()?;
    if reassign_to == Some(id) {
        let expected = "the id of another place than the one to be deleted";
        return Err(Problem::invalid_parameter("reassignTo", expected).into());
    }
    let preconditions = call.preconditions()?;
    let deletion = Deletion::of(&call.env, id, reassign_to)?;
    for _ in 0..TRIES {
        let current = current(&deletion.database, id).await?;
        let current = current.ok_or_else(|| Problem::not_found("place", id.get()))?;
        preconditions.check(Some(current.version))?;
        if let Some(token) = deletion.mark(current.version).await? {
            deletion.finish(token).await?.into_result(id)?;
            return Ok(Answer::no_content());
        }
        blame(&deletion.database, id, reassign_to).await?;
    }
    Err(Problem::place_is_going(id.get()).into())
}

/// Why a place could not be marked: it, or the other, is gone or going; else it was changed
/// meanwhile, or takes people in, and the mark is worth another try.
async fn blame(
    database: &Database,
    id: PlaceId,
    reassign_to: Option<PlaceId>,
) -> Result<(), Error> {
    let Some(to) = reassign_to.map(PlaceId::get) else {
        return Ok(());
    };
    let rows = database
        .rows(&store::standing(&format!("[{id},{to}]")))
        .await?;
    let other = rows.iter().find(|row| row.integer(0) == Some(to));
    match other {
        None => Err(Problem::no_such_place(to).into()),
        Some(row) if row.truth(1) => Err(Problem::place_is_going(to).into()),
        Some(_) => Ok(()),
    }
}
