//! `POST /internal/repair`, and the scheduled repair: finish the deletions that crashed requests
//! left, and delete expired responses of idempotency keys.

use domain::PlaceId;
use edge::{Database, Error, Request, Response, Row};
use http_semantics::params::Seconds;
use serde_json::{Value, json};

use crate::service::{Deletion, DeletionOutcome, Token};
use crate::store;

/// The age, in milliseconds, at which a deletion counts as abandoned. If its request still runs,
/// nothing breaks: either of the two can finish the deletion.
const ABANDONED_MS: i64 = 60_000;

/// The maximum number of deletions that one run finishes.
const MAX_DELETIONS: i64 = 50;

/// Finishes abandoned deletions, and reports them:
/// `{"deletions":[{"placeId":1,"isGone":false,"action":"finish","end":"deleted"}]}`. With
/// `dryRun=true` it only reports.
///
/// # Errors
/// An invalid query, or an error of D1.
pub async fn repair(request: Request) -> Result<Response, Error> {
    let params = request.params(&["dryRun", "olderThan"])?;
    let dry_run = params.get("dryRun")?.unwrap_or(false);
    let older_than = params.get::<Seconds>("olderThan")?;
    let min_age = older_than.map_or(ABANDONED_MS, Seconds::to_milliseconds);
    let report = finish_abandoned(&request.env, min_age, dry_run).await?;
    Ok(Response::json(json!({ "deletions": report }).to_string()))
}

/// The scheduled repair.
///
/// # Errors
/// An error of D1.
pub async fn scheduled(env: &edge::Env) -> Result<(), Error> {
    Database::new(env)?.delete_expired_responses().await?;
    finish_abandoned(env, ABANDONED_MS, false).await.map(drop)
}

/// Finishes the deletions that are at least `min_age` milliseconds old.
async fn finish_abandoned(
    env: &edge::Env,
    min_age: i64,
    dry_run: bool,
) -> Result<Vec<Value>, Error> {
    let abandoned = store::abandoned_deletions(min_age, MAX_DELETIONS);
    let rows = Database::new(env)?.rows(&abandoned).await?;
    let mut report = Vec::new();
    for row in &rows {
        let place = row.integer("place_id").and_then(PlaceId::new);
        if let Some((place, token)) = place.zip(row.integer("token")) {
            report.push(repair_deletion(env, row, place, token, dry_run).await?);
        }
    }
    Ok(report)
}

/// Repairs one deletion, and returns its entry of the report.
async fn repair_deletion(
    env: &edge::Env,
    row: &Row,
    place: PlaceId,
    token: Token,
    dry_run: bool,
) -> Result<Value, Error> {
    let is_deleted = row.boolean("is_deleted");
    let reassign_to = row.integer("reassign_to");
    let mut entry = json!({
        "placeId": place.get(),
        "isGone": is_deleted,
        "reassignTo": reassign_to,
        "action": if is_deleted { "clear" } else { "finish" },
    });
    if !dry_run && let Some(entry) = entry.as_object_mut() {
        let deletion = Deletion::new(env, place, reassign_to.and_then(PlaceId::new))?;
        let end = match finish(&deletion, token, is_deleted).await {
            Ok(DeletionOutcome::Deleted) => "deleted",
            Ok(DeletionOutcome::Blocked { .. }) => "kept",
            // Another request has ended the deletion, or the next run continues it.
            Ok(DeletionOutcome::Continues) => "unknown",
            Err(error) => {
                // The next run tries again.
                worker::console_error!("the repair of a deletion failed: {error}");
                "failed"
            }
        };
        entry.insert("end".to_owned(), end.into());
    }
    Ok(entry)
}

/// Takes a deletion over, and finishes it.
async fn finish(
    deletion: &Deletion,
    previous_token: Token,
    is_deleted: bool,
) -> Result<DeletionOutcome, Error> {
    let Some(token) = deletion.take_over(previous_token).await? else {
        return Ok(DeletionOutcome::Continues);
    };
    if is_deleted {
        deletion.detach_dead(token).await?;
        return Ok(DeletionOutcome::Deleted);
    }
    deletion.run(token).await
}
