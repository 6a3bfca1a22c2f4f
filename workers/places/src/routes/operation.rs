//! `GET /v1/operations/{token}`: sends the status of a deletion that continues after its response.

use edge::{Body, Database, Error, Request, Response};
use http_semantics::{MediaType, Problem};

use crate::domain::OperationId;
use crate::store;

/// The path of an operation.
#[must_use]
pub fn path(token: &str) -> String {
    format!("/v1/operations/{token}")
}

/// The status of an operation: a deletion of a place that takes longer than its request.
///
/// # Errors
/// A path without an id, or an operation that does not exist or ended more than 24 hours ago.
pub async fn operation(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    let id: OperationId = request.id()?;
    let read = store::operation(id.as_str());
    let row = Database::new(&request.env)?.row(&read).await?;
    let body = row.as_ref().map(|row| row.value("body"));
    let body = body.ok_or_else(Problem::no_such_operation)?;
    Ok(Response::ok(MediaType::Json.content_type(), Body::Js(body)))
}
