//! `DELETE /v1/people/{id}`

use domain::PersonId;
use edge::{Answer, Call, Database, Error, TRIES};
use http_semantics::Problem;

use crate::store;

/// Removes a person. The history stays.
///
/// # Errors
/// A person who does not exist, or a precondition that fails.
pub async fn delete(call: Call) -> Result<Answer, Error> {
    call.params(&[])?;
    let id: PersonId = call.id()?;
    let preconditions = call.preconditions()?;
    let database = Database::of(&call.env)?;
    for _ in 0..TRIES {
        let current = database.row(&store::read_version(id)).await?;
        let current = current.ok_or_else(|| Problem::not_found("person", id.get()))?;
        let version = current.integer(1).unwrap_or_default();
        preconditions.check(Some(version))?;
        let deleted = database.batch(&[store::delete(id, version)]).await?;
        if deleted.iter().any(|rows| !rows.is_empty()) {
            return Ok(Answer::no_content());
        }
    }
    Err(Problem::being_written().into())
}
