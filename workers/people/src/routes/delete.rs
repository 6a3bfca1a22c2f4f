//! `DELETE /v1/people/{id}` deletes a person, or erases one (`erase=true`). `GET /internal/erasure`
//! tells the gateway the change sequence of the latest erasure.

use domain::PersonId;
use edge::collection::{ERASURE_HEADER, delete_if};
use edge::{Database, Error, Request, Response, clear_response_cache};
use http_semantics::{Problem, Validator};

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
    let delete = |versions: Option<&[Validator]>| store::delete_matching(id, versions, &author);
    match delete_if::<Person>(&database, id, &preconditions, delete).await? {
        Some(_) => Ok(Response::no_content()),
        None => Err(Problem::being_written().into()),
    }
}

/// `GET /internal/erasure`: the change sequence of the latest erasure, in a header. The gateway
/// deletes the snapshots that are older than this change sequence.
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
