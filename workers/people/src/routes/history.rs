//! `GET /v1/people/{id}/history` and `GET /v1/people/changes`

use edge::shards::Shards;
use edge::{Answer, Call, Env, Error, Marks, log};
use registry::PersonId;

use super::shards;
use crate::store::CHANGES;

/// The versions of one person.
///
/// # Errors
/// A query that cannot be used, or a person who never was.
pub async fn history(call: Call) -> Result<Answer, Error> {
    if let Some(shards) = Shards::of(&call.env)? {
        return shards::history(call, &shards).await;
    }
    let id: PersonId = call.id()?;
    let path = format!("/v1/people/{id}/history");
    log::history(call, CHANGES, id.get(), &path, "person").await
}

/// The changes of all people.
///
/// # Errors
/// A query that cannot be used.
pub async fn changes(call: Call) -> Result<Answer, Error> {
    if let Some(shards) = Shards::of(&call.env)? {
        return shards::changes(call, &shards).await;
    }
    log::changes(call, CHANGES, "/v1/people/changes").await
}

/// How far the register is.
///
/// # Errors
/// A database that does not answer.
pub async fn counter(call: Call) -> Result<Answer, Error> {
    log::counter(call, marks).await
}

/// The same, for the answers that an isolate holds.
pub async fn marks(env: Env) -> Option<Marks> {
    match Shards::of(&env).ok()? {
        Some(shards) => shards::counter(&shards).await.ok(),
        None => log::marks(env, CHANGES).await,
    }
}
