//! `/internal/residents/{id}/…`: the steps of a place's deletion that concern its people. The
//! gateway never forwards a request to these paths.

use domain::PlaceId;
use edge::{Body, Database, Error, Request, Response};
use http_semantics::{MediaType, Problem};
use tables::statement::Statement;

use crate::store;

/// Counts the people of a place. If nobody lives there, revokes the pending writes that refer to
/// it: `{"living":1,"dead":0}`.
///
/// # Errors
/// An invalid id.
pub async fn close(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    run(&request, &store::close(request.id()?)).await
}

/// Moves residents `to` another place, as many as one statement may, revokes the pending writes
/// that refer to the old one, and counts its people: `{"living":0,"dead":2}`.
///
/// # Errors
/// An invalid id.
pub async fn reassign(request: Request) -> Result<Response, Error> {
    let to: Option<PlaceId> = request.params(&["to"])?.get("to")?;
    let to = to.ok_or_else(|| Problem::invalid_parameter("to", "the id of a place"))?;
    run(&request, &store::reassign(request.id()?, to)).await
}

/// Removes a deleted place from its dead, as many as one statement may, and counts its people:
/// `{"living":0,"dead":0}`.
///
/// # Errors
/// An invalid id.
pub async fn detach_dead(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    run(&request, &store::detach_dead(request.id()?)).await
}

/// Runs the steps. The last one counts.
async fn run(request: &Request, statements: &[Statement]) -> Result<Response, Error> {
    let results = Database::new(&request.env)?.batch(statements).await?;
    let rows = results.last().ok_or_else(Problem::internal)?;
    let (living, dead) = match rows.first() {
        Some(row) => row
            .integer("living")
            .zip(row.integer("dead"))
            .ok_or_else(Problem::internal)?,
        None => (0, 0),
    };
    let body = serde_json::json!({ "living": living, "dead": dead });
    Ok(Response::ok(
        MediaType::Json.content_type(),
        Body::Text(body.to_string()),
    ))
}
