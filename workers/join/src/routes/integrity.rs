//! `GET /v1/integrity` and `POST /v1/integrity/repair`

use edge::{Answer, Body, Call, Error};
use http_semantics::Format;

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
    Ok(Answer::ok(Format::Json.media_type(), Body::Text(body)))
}

/// Repairs what the report finds. With `dryRun=true` it only reports what it would do.
///
/// # Errors
/// An invalid query, or a backend that failed.
pub async fn repair(call: Call) -> Result<Answer, Error> {
    let params = call.params(PARAMETERS)?;
    let dry_run = params.get::<bool>("dryRun")?.unwrap_or(false);
    params.get::<http_semantics::params::Seconds>("olderThan")?;
    let mut backends = Backends::new(&call.env)?;
    backends.drop_deadline();
    let query = if call.query.is_empty() {
        String::new()
    } else {
        format!("?{}", call.query)
    };
    let path = format!("/internal/repair{query}");
    let repaired = integrity::repair(&backends, &path, dry_run).await;
    // A repair that failed may have done a part of it.
    let body = match repaired {
        Err(error) if !dry_run => return Err(error.of_write()),
        repaired => repaired?.to_string(),
    };
    Ok(Answer::ok(Format::Json.media_type(), Body::Text(body)))
}
