//! `GET /internal/integrity`: sends this database's part of the integrity report to the gateway.
//! Clients cannot reach this path, because the gateway does not forward requests to it.

use domain::PlaceId;
use domain::place_status::{INTEGRITY_BATCH_SIZE, MAX_INTEGRITY_ENTRIES};
use edge::{Database, Error, Request, Response, Row};
use futures_util::future::try_join;
use http_semantics::Problem;

use crate::store;

/// The ids of the places after an id, and the deletions in progress:
/// `{"places":[1,2],"next":null,"deleting":[]}`.
///
/// # Errors
/// An invalid query.
pub async fn integrity(request: Request) -> Result<Response, Error> {
    let after = request.params(&["after"])?.get("after")?;
    let after = after.map_or(0, PlaceId::get);
    let database = Database::new(&request.env)?;
    let ids = store::ids(after, INTEGRITY_BATCH_SIZE);
    let deletions = store::deletions(MAX_INTEGRITY_ENTRIES);
    let (page, deletions) = try_join(database.row(&ids), database.row(&deletions)).await?;
    let (page, deletions) = page.zip(deletions).ok_or_else(Problem::internal)?;
    let text = |row: &Row, column| row.text(column).ok_or_else(Problem::internal);
    let next = page
        .integer("next")
        .map_or("null".to_owned(), |id| id.to_string());
    Ok(Response::json(format!(
        r#"{{"places":{},"next":{next},"deleting":{}}}"#,
        text(&page, "ids")?,
        text(&deletions, "deletions")?,
    )))
}
