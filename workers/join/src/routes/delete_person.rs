//! `DELETE /v1/people/{id}`: forwards the deletion to the people service. If it is an erasure
//! (`erase=true`), the gateway also deletes the responses that it has stored.

use edge::{Env, Error, Request, Response};
use worker::console_error;

use crate::backends::{erasure_header, people};
use crate::routes::pages;
use crate::service::cache::{erasure, is_disabled, snapshot_refresh};

/// Deletes a person. With `erase=true` the names are removed, too.
///
/// # Errors
/// A problem that names the people service, if it failed or timed out.
pub async fn delete_person(request: Request) -> Result<Response, Error> {
    let response = people(&request.env)?.forward(&request.parts, None).await?;
    // Only the response to an erasure has its change sequence.
    let Some(people_seq) = erasure_header(&response) else {
        return Ok(Response::proxied(response));
    };
    erasure::forget(&request.env, people_seq).await?;
    if !is_disabled(&request.env) {
        request.context.wait_until(refresh_snapshots(request.env));
    }
    Ok(Response::no_content())
}

async fn refresh_snapshots(env: Env) {
    let query = pages::first_query();
    let refreshed = snapshot_refresh::run(&env, &query, pages::page_data).await;
    if let Err(error) = refreshed {
        console_error!("refreshing the snapshots after an erasure: {error}");
    }
}
