//! `GET /internal/integrity`: sends this database's part of the integrity report to the gateway.
//! Clients cannot reach this path, because the gateway does not forward requests to it.

use domain::PlaceId;
use domain::place_status::{INTEGRITY_BATCH_SIZE, MAX_INTEGRITY_ENTRIES};
use edge::{Database, Error, Request, Response, Row};
use futures_util::future::try_join;
use http_semantics::Problem;

use crate::store;

/// The populations of the places after an id, places with several kings, and pending writes:
/// `{"residents":[…],"next":null,"doubleKings":[],"pending":[]}`.
///
/// # Errors
/// An invalid query.
pub async fn integrity(request: Request) -> Result<Response, Error> {
    let after = request.params(&["after"])?.get("after")?;
    let after = after.map_or(0, PlaceId::get);
    let database = Database::new(&request.env)?;
    let residents = store::resident_counts(after, INTEGRITY_BATCH_SIZE);
    let findings = store::integrity_findings(MAX_INTEGRITY_ENTRIES);
    let (page, findings) = try_join(database.row(&residents), database.row(&findings)).await?;
    let (page, findings) = page.zip(findings).ok_or_else(Problem::internal)?;
    let text = |row: &Row, column| row.text(column).ok_or_else(Problem::internal);
    let next = page
        .integer("next")
        .map_or("null".to_owned(), |id| id.to_string());
    Ok(Response::json(format!(
        r#"{{"residents":{},"next":{next},"doubleKings":{},"pending":{}}}"#,
        text(&page, "residents")?,
        text(&findings, "double_kings")?,
        text(&findings, "pending")?,
    )))
}
