//! `POST /internal/repair`, and the same on a schedule: finishes the deletions that crashed
//! requests left, and removes stored responses that have expired.

use domain::PlaceId;
use edge::{Body, Database, Error, Request, Response};
use http_semantics::params::Seconds;
use http_semantics::{MediaType, Problem};
use serde_json::{Value, json};

use crate::service::{Deletion, End, Token};
use crate::store;

/// A deletion older than this, in milliseconds, has lost its request. To take one over whose
/// request still runs does no harm: both can finish it.
const ABANDONED_MS: i64 = 60_000;

/// The most deletions of one run.
const MAX_DELETIONS: i64 = 50;

/// What the repair did, or would do:
/// `{"deletions":[{"placeId":1,"isGone":false,"action":"finish","end":"deleted"}]}`.
///
/// # Errors
/// A query that cannot be used, or what D1 says.
pub async fn repair(request: Request) -> Result<Response, Error> {
    let params = request.params(&["dryRun", "olderThan"])?;
    let dry_run = params.get("dryRun")?.unwrap_or(false);
    let older_than = params.get::<Seconds>("olderThan")?;
    let age = older_than.map_or(ABANDONED_MS, Seconds::to_milliseconds);
    let report = run(&request.env, age, dry_run).await?;
    let body = json!({ "deletions": report }).to_string();
    Ok(Response::ok(
        MediaType::Json.content_type(),
        Body::Text(body),
    ))
}

/// The scheduled run.
///
/// # Errors
/// What D1 says.
pub async fn scheduled(env: &edge::Env) -> Result<(), Error> {
    Database::new(env)?.delete_expired_responses().await?;
    run(env, ABANDONED_MS, false).await.map(drop)
}

async fn run(env: &edge::Env, age: i64, dry_run: bool) -> Result<Vec<Value>, Error> {
    let rows = Database::new(env)?
        .rows(&store::abandoned(age, MAX_DELETIONS))
        .await?;
    let mut report = Vec::new();
    for row in &rows {
        let Some(place) = row.integer("place_id").and_then(PlaceId::new) else {
            continue;
        };
        let is_gone = row.boolean("is_deleted");
        let reassign_to = row.integer("reassign_to");
        let action = if is_gone { "clear" } else { "finish" };
        let mut entry = json!({
            "placeId": place.get(), "isGone": is_gone, "reassignTo": reassign_to, "action": action,
        });
        if !dry_run {
            let deletion = Deletion::new(env, place, reassign_to.and_then(PlaceId::new))?;
            let from = row.integer("token").ok_or_else(Problem::internal)?;
            let end = end_of(&deletion, from, is_gone).await;
            if let Some(entry) = entry.as_object_mut() {
                entry.insert("end".to_owned(), end.into());
            }
        }
        report.push(entry);
    }
    Ok(report)
}

/// Takes a deletion over and finishes it. A failure is left to the next run.
async fn end_of(deletion: &Deletion, from: Token, is_gone: bool) -> &'static str {
    let end = async {
        let Some(token) = deletion.take_over(from).await? else {
            return Ok(End::Continues);
        };
        if is_gone {
            deletion.detach_dead(token).await?;
            return Ok(End::Deleted);
        }
        deletion.finish(token).await
    };
    match end.await {
        Ok(End::Deleted) => "deleted",
        Ok(End::HasResidents(_)) => "kept",
        Ok(End::Continues) => "ended meanwhile",
        Err(error) => {
            worker::console_error!("the repair of a deletion: {error}");
            "failed"
        }
    }
}
