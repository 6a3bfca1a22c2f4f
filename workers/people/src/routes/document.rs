//! `GET /v1/openapi.json`: the description of this worker, as `make openapi` wrote it.

use edge::{Answer, Body, Call, Error};
use http_semantics::Format;

const DOCUMENT: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));

/// The OpenAPI document.
///
/// # Errors
/// A query where none is known.
pub async fn document(call: Call) -> Result<Answer, Error> {
    call.params(&[])?;
    let body = Body::Text(DOCUMENT.to_owned());
    Ok(Answer::ok(Format::Json.media_type(), body))
}
