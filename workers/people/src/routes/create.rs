//! `POST /v1/people`

use edge::{Answer, Call, Error, JSON, Keyed, record_of};

use super::writing::response;
use crate::domain::Person;
use crate::service;

/// Adds a person under the next id.
///
/// # Errors
/// A body that is no person, a place that does not exist, a second king, or an idempotency key
/// of another request.
pub async fn create(call: Call) -> Result<Answer, Error> {
    call.params(&[])?;
    let (object, body) = call.object(JSON).await?;
    let person: Person = record_of(object, None)?;
    let keyed = Keyed::of(&call, "POST /people", &body)?;
    let written = service::create(&call, &person, keyed.as_ref()).await?;
    Ok(response(written))
}
