//! `DELETE /v1/people/{id}`

use domain::PersonId;
use edge::collection::{ERASURE_HEADER, not_found, read_current};
use edge::{Database, Error, MAX_WRITE_ATTEMPTS, Request, Response, clear_response_cache};
use http_semantics::{Preconditions, Problem};
use tables::record::Author;

use crate::domain::Person;
use crate::{service, store};

/// The parameter that also erases the person. It needs the scope `admin`.
pub const ERASE: &str = "erase";

/// The parameters of a deletion.
pub const PARAMETERS: &[&str] = &[ERASE];

/// Deletes a person. Their history stays. With `erase=true` it stays without their names.
///
/// # Errors
/// A person who does not exist, or a precondition that fails.
pub async fn delete(request: Request) -> Result<Response, Error> {
    let erase = request.params(PARAMETERS)?.get(ERASE)?;
    let id: PersonId = request.id()?;
    let preconditions = request.preconditions()?;
    let database = Database::new(&request.env)?;
    let author = request.env.author();
    if erase == Some(true) {
        let seq = service::erase(&database, id, &preconditions, &author).await?;
        clear_response_cache();
        return Ok(Response::no_content().header(ERASURE_HEADER, seq.to_string()));
    }
    delete_record(&database, id, &preconditions, &author).await?;
    Ok(Response::no_content())
}

async fn delete_record(
    database: &Database,
    id: PersonId,
    preconditions: &Preconditions,
    author: &Author,
) -> Result<(), Error> {
    for _ in 0..MAX_WRITE_ATTEMPTS {
        let current = read_current::<Person>(database, id).await?;
        let current = current.ok_or_else(|| not_found::<Person>(id))?;
        preconditions.check(Some(current.version))?;
        let delete = store::delete(id, current.version.number, author);
        let deleted = database.batch(&[delete]).await?;
        if deleted.iter().any(|rows| !rows.is_empty()) {
            return Ok(());
        }
    }
    Err(Problem::being_written().into())
}

/// `GET /internal/erasure`: the change sequence of the latest erasure, in a header. The gateway
/// deletes the snapshots before it.
///
/// # Errors
/// A query parameter, or an error of D1.
pub async fn latest_erasure(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    let latest = Database::new(&request.env)?;
    let latest = latest.row(&store::latest_erasure()).await?;
    let seq = latest.and_then(|row| row.integer("seq"));
    let seq = seq.ok_or_else(Problem::internal)?;
    Ok(Response::no_content().header(ERASURE_HEADER, seq.to_string()))
}
