//! `GET /v1/integrity` and `POST /v1/integrity/repair`

use edge::{Answer, Body, Call, Error};
use http_semantics::MediaType;
use http_semantics::params::Seconds;

use crate::backends::Backends;
use crate::service::integrity;

/// The parameters of the repair.
pub const PARAMETERS: &[&str] = &["dryRun", "olderThan"];

/// The report over both databases.
///
/// # Errors
/// An unknown parameter, or a backend that failed.
pub async fn integrity(call: Call) -> Result<Answer, Error> {
    call.params(&[])?;
    let mut backends = Backends::new(&call.env)?;
    backends.drop_deadline();
    let report = integrity::report(&backends).await?;
    let body = serde_json::to_string(&report).unwrap_or_default();
    Ok(Answer::ok(MediaType::Json.content_type(), Body::Text(body)))
}

/// Repairs what the report finds. With `dryRun=true` it only reports what it would do.
///
/// # Errors
/// An invalid query, or a backend that failed.
pub async fn repair(call: Call) -> Result<Answer, Error> {
    let params = call.params(PARAMETERS)?;
    let dry_run = params.get::<bool>("dryRun")?.unwrap_or(false);
    let older_than = params.get::<Seconds>("olderThan")?;
    let mut backends = Backends::new(&call.env)?;
    backends.drop_deadline();
    // The path is built from the parsed values, not from the client's text.
    let older_than = older_than.map(|older_than| format!("&olderThan={}", older_than.get()));
    let path = format!(
        "/internal/repair?dryRun={dry_run}{}",
        older_than.unwrap_or_default()
    );
    let repaired = integrity::repair(&backends, &path, dry_run).await;
    // A repair that failed may have done a part of it.
    let body = match repaired {
        Err(error) if !dry_run => return Err(error.of_write()),
        repaired => repaired?.to_string(),
    };
    Ok(Answer::ok(MediaType::Json.content_type(), Body::Text(body)))
}
