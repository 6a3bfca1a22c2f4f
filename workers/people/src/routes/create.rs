//! `POST /v1/people`

use edge::{Error, IdempotentRequest, JSON, Request, Response, parse_record};

use super::writing::response;
use crate::domain::Person;
use crate::service;

/// Adds a person under the next id.
///
/// # Errors
/// A body that is no person, a place that does not exist, a second king, or an idempotency key
/// of another request.
pub async fn create(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    let (object, body) = request.json_object(JSON).await?;
    let person: Person = parse_record(object, None)?;
    let keyed = IdempotentRequest::new(&request, "POST /people", &body)?;
    let written = service::create(&request, &person, keyed.as_ref()).await?;
    Ok(response(written))
}
