//! `GET /v1/people/{id}/history` and `GET /v1/people/changes`

use domain::PersonId;
use edge::{Answer, Call, ChangeSeqs, Env, Error, change_feed};

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

/// The change sequence of the table.
///
/// # Errors
/// A database that does not answer.
pub async fn counter(call: Call) -> Result<Answer, Error> {
    change_feed::counter(call, CHANGES).await
}

/// The same, to revalidate cached responses.
pub async fn change_seqs(env: Env) -> Option<ChangeSeqs> {
    change_feed::change_seqs(env, CHANGES).await
}
