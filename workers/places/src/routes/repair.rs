//! The repair of this database, on a schedule or by `POST /internal/repair`. It finishes the
//! deletions that crashed requests left. The scheduled run also deletes expired responses of
//! idempotency keys.

use domain::{Param, PlaceId};
use edge::{Calls, Database, Error, Request, Response, Row, now};
use http_semantics::actor::Actor;
use http_semantics::params::Seconds;
use serde_json::{Value, json};

use crate::service::{Deletion, DeletionOutcome, Token};
use crate::store;

/// The age, in milliseconds, at which a deletion counts as abandoned. If its request still runs,
/// nothing breaks: either of the two can finish the deletion.
const ABANDONED_MS: i64 = 60_000;

/// The maximum number of deletions that one run finishes.
const MAX_DELETIONS: i64 = 50;

/// The time after which a scheduled run leaves the rest to the next one, in milliseconds.
const SCHEDULED_RUN_MS: i64 = 50_000;

/// The same for a requested repair. The gateway waits longer.
const REQUESTED_RUN_MS: i64 = 10_000;

/// The calls that a deletion makes at least.
const DELETION: Calls = Calls::services(2).and(Calls::round_trips(4, 3));

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
    let until = now() + REQUESTED_RUN_MS;
    let report = finish_abandoned(&request.env, min_age, until, dry_run).await?;
    Ok(Response::json(json!({ "deletions": report }).to_string()))
}

/// The scheduled repair.
///
/// # Errors
/// An error of D1.
pub async fn scheduled(env: &edge::Env) -> Result<(), Error> {
    let until = now() + SCHEDULED_RUN_MS;
    // A failure of one step does not prevent the other.
    let expired = Database::new(env)?.delete_expired_responses().await;
    finish_abandoned(env, ABANDONED_MS, until, false).await?;
    expired
}

/// Finishes the deletions that are at least `min_age` milliseconds old, until a time in milliseconds
/// since 1970. A dry run only lists them.
async fn finish_abandoned(
    env: &edge::Env,
    min_age: i64,
    until: i64,
    dry_run: bool,
) -> Result<Vec<Value>, Error> {
    let abandoned = store::abandoned_deletions(min_age, MAX_DELETIONS);
    let rows = Database::new(env)?.rows(&abandoned).await?;
    let mut report = Vec::new();
    for row in &rows {
        if !dry_run && (now() >= until || !env.quota().has(DELETION)) {
            break;
        }
        let place = row.integer("place_id").and_then(PlaceId::new);
        if let Some((place, token)) = place.zip(row.integer("token")) {
            report.push(repair_deletion(env, row, place, token, until, dry_run).await?);
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
    until: i64,
    dry_run: bool,
) -> Result<Value, Error> {
    let is_deleted = row.boolean("is_deleted");
    let is_operation = row.boolean("is_operation");
    let is_reserved = row.boolean("is_reserved");
    let reassign_to = row.integer("reassign_to");
    // The batch was not done, so its place stays.
    let is_cleared = is_deleted || is_reserved;
    let mut entry = json!({
        "placeId": place.get(),
        "isGone": is_deleted,
        "reassignTo": reassign_to,
        "action": if is_cleared { "clear" } else { "finish" },
    });
    if !dry_run && let Some(entry) = entry.as_object_mut() {
        let reassign_to = reassign_to.and_then(PlaceId::new);
        let actor = row.text("actor").as_deref().and_then(Actor::parse);
        let deletion = Deletion::new(env, place, reassign_to, actor, until)?;
        let finished = if is_reserved {
            deletion.cancel_reservation(token).await
        } else {
            finish(&deletion, token, is_deleted, is_operation).await
        };
        let end = match finished {
            Ok(DeletionOutcome::Deleted) => "deleted",
            Ok(DeletionOutcome::Blocked { .. } | DeletionOutcome::Cancelled) => "kept",
            // The next run continues it.
            Ok(DeletionOutcome::Interrupted) => "continues",
            // Another process has ended the deletion, or continues it.
            Ok(DeletionOutcome::TakenOver) => "unknown",
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
    is_operation: bool,
) -> Result<DeletionOutcome, Error> {
    let Some(token) = deletion.take_over(previous_token, is_operation).await? else {
        return Ok(DeletionOutcome::TakenOver);
    };
    if is_deleted {
        deletion.detach_dead(token).await
    } else {
        deletion.run(token).await
    }
}
