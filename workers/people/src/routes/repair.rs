//! The repair of this database, on a schedule or by `POST /internal/repair`. It removes the pending
//! writes that crashed requests left. The scheduled run also deletes expired responses of
//! idempotency keys.

use edge::{Database, Error, Request, Response};
use http_semantics::params::Seconds;
use serde_json::{Value, json};

use crate::store;

/// The age, in milliseconds, at which a pending write counts as abandoned. If its request still
/// runs, nothing breaks: its commit fails, and it begins again.
const ABANDONED_MS: i64 = 30_000;

/// The maximum number of pending writes in the report. All abandoned ones are removed.
const MAX_REPORTED: i64 = 500;

/// Removes abandoned pending writes, and reports them:
/// `{"pending":[{"id":1,"placeId":3,"action":"remove"}]}`. With `dryRun=true` it only reports.
///
/// # Errors
/// An invalid query, or an error of D1.
pub async fn repair(request: Request) -> Result<Response, Error> {
    let params = request.params(&["dryRun", "olderThan"])?;
    let dry_run = params.get("dryRun")?.unwrap_or(false);
    let older_than = params.get::<Seconds>("olderThan")?;
    let min_age = older_than.map_or(ABANDONED_MS, Seconds::to_milliseconds);
    let database = Database::new(&request.env)?;
    let abandoned = store::abandoned_pending(min_age, MAX_REPORTED);
    let abandoned = database.rows(&abandoned).await?;
    if !dry_run && !abandoned.is_empty() {
        let remove = store::remove_abandoned_pending(min_age);
        database.batch(&[remove]).await?;
    }
    let report: Vec<Value> = abandoned
        .iter()
        .map(|row| {
            let (person, place) = (row.integer("person_id"), row.integer("place_id"));
            json!({"id": person, "placeId": place, "action": "remove"})
        })
        .collect();
    Ok(Response::json(json!({ "pending": report }).to_string()))
}

/// The scheduled repair.
///
/// # Errors
/// An error of D1.
pub async fn scheduled(env: &edge::Env) -> Result<(), Error> {
    let database = Database::new(env)?;
    // A failure of one step does not prevent the other.
    let expired = database.delete_expired_responses().await;
    let remove = store::remove_abandoned_pending(ABANDONED_MS);
    database.batch(&[remove]).await?;
    expired
}
