//! `GET /v1/people/{id}/history` and `GET /v1/people/changes`

use domain::PersonId;
use edge::{Answer, Call, Env, Error, Marks, change_feed};

use crate::store::CHANGES;

/// The versions of one person.
///
/// # Errors
/// A query that cannot be used, or a person who never was.
pub async fn history(call: Call) -> Result<Answer, Error> {
    let id: PersonId = call.id()?;
    let path = format!("/v1/people/{id}/history");
    change_feed::history(call, CHANGES, id.get(), &path, "person").await
}

/// The changes of all people.
///
/// # Errors
/// A query that cannot be used.
pub async fn changes(call: Call) -> Result<Answer, Error> {
    change_feed::changes(call, CHANGES, "/v1/people/changes").await
}

/// How far the register is.
///
/// # Errors
/// A database that does not answer.
pub async fn counter(call: Call) -> Result<Answer, Error> {
    change_feed::counter(call, CHANGES).await
}

/// The same, for the answers that an isolate holds.
pub async fn marks(env: Env) -> Option<Marks> {
    change_feed::marks(env, CHANGES).await
}
