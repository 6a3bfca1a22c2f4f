//! `GET /v1`: what this registry is, and where to go on.

use edge::{Answer, Body, Call, Database, Error};
use http_semantics::Format;

use crate::store;

/// The dataset's own description and the routes.
///
/// # Errors
/// A query where none is known.
pub async fn dataset(call: Call) -> Result<Answer, Error> {
    call.params(&[])?;
    let row = Database::of(&call.env)?.row(&store::dataset()).await?;
    let body = row.map_or(Body::Empty, |row| Body::Js(row.value("body")));
    Ok(Answer::ok(Format::Json.media_type(), body))
}
