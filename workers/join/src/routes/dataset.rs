//! `GET /v1`: describes the dataset and lists the routes.

use edge::{Body, Database, Error, Request, Response};
use http_semantics::MediaType;

use crate::store;

/// The description of the dataset, and the list of routes.
///
/// # Errors
/// An unknown parameter, or a failure of D1.
pub async fn dataset(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    let row = Database::new(&request.env)?.row(&store::dataset()).await?;
    let body = row.map_or(Body::Empty, |row| Body::Js(row.value("body")));
    Ok(Response::ok(MediaType::Json.content_type(), body))
}
