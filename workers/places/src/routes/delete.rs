//! `DELETE /v1/places/{id}`: deletes a place. If the deletion takes long, the client gets a 202,
//! and the deletion continues as an operation.

use std::rc::Rc;

use domain::PlaceId;
use domain::place_status::RETRY_DELAYS_MS;
use edge::{Database, Error, Request, Response, first_in_time, now, pause, random_token};
use futures_util::FutureExt;
use http_semantics::Problem;
use worker::console_error;

use super::operation;
use crate::service::{Deletion, DeletionOutcome, Token};
use crate::store;

/// The time after which the client gets a 202, in milliseconds.
const RESPONSE_MS: i64 = 10_000;

/// The time after which the scheduled run continues a deletion, in milliseconds. The platform ends a
/// request 30 seconds after its client has disconnected, and a call takes at most 5.
const RUN_MS: i64 = 24_000;

/// The query parameters.
pub const PARAMETERS: &[&str] = &["reassignTo"];

/// Deletes a place. Its residents move to the place in `reassignTo`. Without the parameter, a place
/// with residents is not deleted. The history of the place stays.
///
/// Two deletions can conflict: both delete the same place, or one moves people to the place that
/// the other deletes. The later one waits for the other, for at most the sum of
/// [`RETRY_DELAYS_MS`].
///
/// A deletion that takes longer than [`RESPONSE_MS`] continues after the response, a 202.
///
/// # Errors
/// A place that does not exist, a precondition that fails, or residents.
pub async fn delete(request: Request) -> Result<Response, Error> {
    let reassign_to: Option<PlaceId> = request.params(PARAMETERS)?.get("reassignTo")?;
    let id: PlaceId = request.id()?;
    if reassign_to == Some(id) {
        let expected = "the id of another place than the one to be deleted";
        return Err(Problem::invalid_parameter("reassignTo", expected).into());
    }
    let preconditions = request.preconditions()?;
    let arrived = now();
    let actor = request.env.author().actor;
    let deletion = Deletion::new(&request.env, id, reassign_to, actor, arrived + RUN_MS)?;
    let mut conflicting = id;
    for milliseconds in [0].into_iter().chain(RETRY_DELAYS_MS) {
        if milliseconds > 0 {
            pause(milliseconds).await;
        }
        if let Some(token) = deletion.begin(&preconditions).await? {
            return run(&request, deletion, id, token, arrived + RESPONSE_MS).await;
        }
        conflicting = conflicting_place(&deletion.database, id, reassign_to).await?;
    }
    Err(Problem::place_is_deleting(conflicting.get()).into())
}

/// Runs a deletion, and responds when it ends, at the latest at the time `respond_at`.
async fn run(
    request: &Request,
    deletion: Deletion,
    id: PlaceId,
    token: Token,
    respond_at: i64,
) -> Result<Response, Error> {
    let deletion = Rc::new(deletion);
    let running = Rc::clone(&deletion);
    let running = async move { running.run(token).await }.boxed_local();
    let remaining_ms = u32::try_from(respond_at - now()).unwrap_or_default();
    let (outcome, unfinished) = match first_in_time(remaining_ms, running).await {
        Ok(outcome) => (outcome?, None),
        Err(unfinished) => (DeletionOutcome::Interrupted, Some(unfinished)),
    };
    let outcome = match outcome {
        DeletionOutcome::Interrupted => {
            let operation = random_token();
            let is_operation = deletion.make_operation(token, &operation).await;
            if let Some(unfinished) = unfinished {
                request.context.wait_until(async move {
                    if let Err(error) = unfinished.await {
                        console_error!("a deletion stopped, and the repair continues it: {error}");
                    }
                });
            }
            if is_operation.map_err(Error::with_unknown_outcome)? {
                return Ok(Response::accepted(operation::path(&operation)));
            }
            deletion.outcome_after_take_over().await?
        }
        outcome => outcome,
    };
    match outcome {
        DeletionOutcome::Deleted => Ok(Response::no_content()),
        DeletionOutcome::Blocked { living } => {
            Err(Problem::place_has_people(id.get(), living).into())
        }
        DeletionOutcome::Cancelled | DeletionOutcome::Interrupted | DeletionOutcome::TakenOver => {
            Err(Problem::deletion_continues(id.get()).into())
        }
    }
}

/// The place whose deletion prevents this one from beginning: the target, or else the place itself.
///
/// # Errors
/// A target that does not exist.
async fn conflicting_place(
    database: &Database,
    id: PlaceId,
    reassign_to: Option<PlaceId>,
) -> Result<PlaceId, Error> {
    let Some(target) = reassign_to else {
        return Ok(id);
    };
    let rows = database
        .rows(&store::statuses(&format!("[{target}]")))
        .await?;
    match rows.first() {
        None => Err(Problem::no_such_place(target.get()).into()),
        Some(row) if row.boolean("is_deleting") => Ok(target),
        Some(_) => Ok(id),
    }
}
