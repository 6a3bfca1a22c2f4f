//! `GET /v1/places/{id}/history` and `GET /v1/places/changes`

use domain::PlaceId;
use edge::{Answer, Call, ChangeSeqs, Env, Error, change_feed};

use crate::store::CHANGES;

/// The versions of one place.
///
/// # Errors
/// A query that cannot be used, or a place that never was.
pub async fn history(call: Call) -> Result<Answer, Error> {
    let id: PlaceId = call.id()?;
    let path = format!("/v1/places/{id}/history");
    change_feed::history(call, CHANGES, id.get(), &path, "place").await
}

/// The changes of all places.
///
/// # Errors
/// A query that cannot be used.
pub async fn changes(call: Call) -> Result<Answer, Error> {
    change_feed::changes(call, CHANGES, "/v1/places/changes").await
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
