//! `GET /internal/recent-changes`: sends the latest changes of a table to a page of the gateway, each
//! with the state before it. So the page can say what changed.

use http_semantics::{MediaType, Problem};
use tables::page::PageSize;
use tables::{Record, change_log};

use crate::collection::CHANGE_SEQ_HEADER;
use crate::d1::Database;
use crate::error::Error;
use crate::http::request::Request;
use crate::http::response::{Body, Response};

/// The latest changes, latest first: an array of changes as in the feed. Each also has the record
/// before the change (`before`), or null.
///
/// # Errors
/// An invalid query.
pub async fn recent_changes<R: Record>(request: Request) -> Result<Response, Error> {
    let limit: PageSize = request
        .params(&["limit"])?
        .get("limit")?
        .unwrap_or_default();
    let statement = change_log::latest(R::table(), limit);
    let row = Database::new(&request.env)?.row(&statement).await?;
    let row = row.ok_or_else(Problem::internal)?;
    let change_seq = row.text("change_seq").ok_or_else(Problem::internal)?;
    let body = Body::Js(row.value("body"));
    Ok(Response::ok(MediaType::Json.content_type(), body).header(CHANGE_SEQ_HEADER, change_seq))
}
