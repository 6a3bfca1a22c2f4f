//! `POST /internal/repair`, and the same on a schedule: removes the pending writes that crashed
//! requests left, and stored responses that have expired.

use edge::{Body, Database, Error, Request, Response};
use http_semantics::MediaType;
use http_semantics::params::Seconds;
use serde_json::{Value, json};

use crate::store;

/// A pending write older than this, in milliseconds, has lost its request. To remove one whose
/// request still runs does no harm: it begins again.
const ABANDONED_MS: i64 = 30_000;

/// The most pending writes that the report lists. All of them are removed.
const MAX_REPORTED: i64 = 500;

/// Removes abandoned pending writes, and reports them:
/// `{"pending":[{"id":1,"placeId":3,"action":"remove"}]}`. With `dryRun=true` it only reports.
///
/// # Errors
/// An invalid query.
pub async fn repair(request: Request) -> Result<Response, Error> {
    let params = request.params(&["dryRun", "olderThan"])?;
    let dry_run = params.get("dryRun")?.unwrap_or(false);
    let older_than = params.get::<Seconds>("olderThan")?;
    let age = older_than.map_or(ABANDONED_MS, Seconds::to_milliseconds);
    let database = Database::new(&request.env)?;
    let abandoned = store::abandoned_pending(age, MAX_REPORTED);
    let abandoned = database.rows(&abandoned).await?;
    if !dry_run && !abandoned.is_empty() {
        database.batch(&[store::sweep_pending(age)]).await?;
    }
    let report: Vec<Value> = abandoned
        .iter()
        .map(|row| json!({"id": row.integer("person_id"), "placeId": row.integer("place_id"), "action": "remove"}))
        .collect();
    let body = json!({ "pending": report }).to_string();
    Ok(Response::ok(
        MediaType::Json.content_type(),
        Body::Text(body),
    ))
}

/// The scheduled run.
///
/// # Errors
/// An error of D1.
pub async fn scheduled(env: &edge::Env) -> Result<(), Error> {
    let database = Database::new(env)?;
    database.delete_expired_responses().await?;
    let sweep = store::sweep_pending(ABANDONED_MS);
    database.batch(&[sweep]).await.map(drop)
}
