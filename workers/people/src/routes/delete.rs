//! `DELETE /v1/people/{id}`

use domain::PersonId;
use edge::collection::not_found;
use edge::{Database, Error, MAX_WRITE_ATTEMPTS, Request, Response};
use http_semantics::Problem;
use tables::record_statement;
use tables::schema::PERSON;

use crate::domain::Person;
use crate::store;

/// Removes a person. The history stays.
///
/// # Errors
/// A person who does not exist, or a precondition that fails.
pub async fn delete(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    let id: PersonId = request.id()?;
    let preconditions = request.preconditions()?;
    let database = Database::new(&request.env)?;
    for _ in 0..MAX_WRITE_ATTEMPTS {
        let current = database
            .row(&record_statement::read_version(&PERSON, id.get()))
            .await?;
        let current = current.ok_or_else(|| not_found::<Person>(id))?;
        let version = current.integer("version").unwrap_or_default();
        preconditions.check(Some(version))?;
        let deleted = database.batch(&[store::delete(id, version)]).await?;
        if deleted.iter().any(|rows| !rows.is_empty()) {
            return Ok(Response::no_content());
        }
    }
    Err(Problem::being_written().into())
}
