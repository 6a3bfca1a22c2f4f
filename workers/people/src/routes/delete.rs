//! `DELETE /v1/people/{id}`

use domain::PersonId;
use edge::collection::{not_found, read_current};
use edge::{Database, Error, MAX_WRITE_ATTEMPTS, Request, Response};
use http_semantics::Problem;

use crate::domain::Person;
use crate::store;

/// Deletes a person. Their history stays.
///
/// # Errors
/// A person who does not exist, or a precondition that fails.
pub async fn delete(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    let id: PersonId = request.id()?;
    let preconditions = request.preconditions()?;
    let database = Database::new(&request.env)?;
    for _ in 0..MAX_WRITE_ATTEMPTS {
        let current = read_current::<Person>(&database, id).await?;
        let current = current.ok_or_else(|| not_found::<Person>(id))?;
        preconditions.check(Some(current.version))?;
        let delete = store::delete(id, current.version.number);
        let deleted = database.batch(&[delete]).await?;
        if deleted.iter().any(|rows| !rows.is_empty()) {
            return Ok(Response::no_content());
        }
    }
    Err(Problem::being_written().into())
}
