//! `GET /v1/integrity` reports violations of the rules that span both databases. `POST
//! /v1/integrity/repair` finishes what crashed requests left.

use edge::{Body, Error, Request, Response};
use http_semantics::MediaType;
use http_semantics::params::Seconds;
use tables::page;

use crate::backends::Backends;
use crate::service::integrity;

/// The parameters of a repair.
pub const PARAMETERS: &[&str] = &["dryRun", "olderThan"];

/// The parameter of the report.
pub const REPORT_PARAMETERS: &[&str] = &["after"];

/// The integrity report on both databases. If it does not cover all places, it links to the rest.
///
/// # Errors
/// An invalid query, or a backend that failed.
pub async fn integrity(request: Request) -> Result<Response, Error> {
    let after = request.params(REPORT_PARAMETERS)?.get("after")?;
    let mut backends = Backends::new(&request.env)?;
    backends.drop_deadline();
    let report = integrity::report(&backends, after).await?;
    let link = report.next.map(|after| {
        let path = "/v1/integrity";
        page::next_link(path, &request.query, &after.to_string())
    });
    let body = serde_json::to_string(&report).unwrap_or_default();
    let body = Body::Text(body);
    Ok(Response::ok(MediaType::Json.content_type(), body).header_if("link", link))
}

/// Repairs what the report finds. With `dryRun=true` it changes nothing and lists what it would do.
///
/// # Errors
/// An invalid query, or a backend that failed.
pub async fn repair(request: Request) -> Result<Response, Error> {
    let params = request.params(PARAMETERS)?;
    let dry_run = params.get::<bool>("dryRun")?.unwrap_or(false);
    let older_than = params.get::<Seconds>("olderThan")?;
    let mut backends = Backends::new(&request.env)?.with_deletion_timeout();
    backends.drop_deadline();
    // The path is built from the parsed values, not from the client's text.
    let older_than = older_than.map(|seconds| format!("&olderThan={}", seconds.get()));
    let older_than = older_than.unwrap_or_default();
    let path = format!("/internal/repair?dryRun={dry_run}{older_than}");
    let repair = match integrity::repair(&backends, &path, dry_run).await {
        // A part of the repair may have been done.
        Err(error) if !dry_run => return Err(error.with_unknown_outcome()),
        repair => repair?,
    };
    let body = repair.to_string();
    Ok(Response::ok(
        MediaType::Json.content_type(),
        Body::Text(body),
    ))
}
