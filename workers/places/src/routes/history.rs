//! `GET /v1/places/{id}/history` and `GET /v1/places/changes`

use domain::PlaceId;
use edge::{Answer, Call, Env, Error, Marks, change_feed};

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
