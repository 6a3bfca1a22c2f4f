//! `GET /v1/people/{id}/history` and `GET /v1/people/changes`

use edge::{Answer, Call, Env, Error, Marks, log};
use registry::PersonId;

use crate::store::CHANGES;

/// The versions of one person.
///
/// # Errors
/// A query that cannot be used, or a person who never was.
pub async fn history(call: Call) -> Result<Answer, Error> {
    let id: PersonId = call.id()?;
    let path = format!("/v1/people/{id}/history");
    log::history(call, CHANGES, id.get(), &path, "person").await
}

/// The changes of all people.
///
/// # Errors
/// A query that cannot be used.
pub async fn changes(call: Call) -> Result<Answer, Error> {
    log::changes(call, CHANGES, "/v1/people/changes").await
}

/// How far the register is.
///
/// # Errors
/// A database that does not answer.
pub async fn counter(call: Call) -> Result<Answer, Error> {
    log::counter(call, CHANGES).await
}

/// The same, for the answers that an isolate holds.
pub async fn marks(env: Env) -> Option<Marks> {
    log::marks(env, CHANGES).await
}
