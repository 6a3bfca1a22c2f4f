//! `GET /v1`: the description of the dataset, and the routes.

use edge::{Answer, Body, Call, Database, Error};
use http_semantics::MediaType;

use crate::store;

/// The description and the routes.
///
/// # Errors
/// An unknown parameter, or a failure of D1.
pub async fn dataset(call: Call) -> Result<Answer, Error> {
    call.params(&[])?;
    let row = Database::of(&call.env)?.row(&store::dataset()).await?;
    let body = row.map_or(Body::Empty, |row| Body::Js(row.value("body")));
    Ok(Answer::ok(MediaType::Json.content_type(), body))
}
