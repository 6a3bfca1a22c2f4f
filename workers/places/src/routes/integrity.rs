//! `GET /internal/integrity`: this database's part of the integrity report. The gateway never
//! forwards a request to this path.

use domain::place_status::{INTEGRITY_BATCH_SIZE, MAX_INTEGRITY_ENTRIES};
use edge::{Body, Database, Error, Request, Response, Row};
use futures_util::future::try_join;
use http_semantics::params::AfterId;
use http_semantics::{MediaType, Problem};

use crate::store;

/// The places after one, and those that are being deleted:
/// `{"places":[1,2],"next":null,"deleting":[]}`.
///
/// # Errors
/// An invalid query.
pub async fn integrity(request: Request) -> Result<Response, Error> {
    let after = request.params(&["after"])?.get::<AfterId>("after")?;
    let after = after.unwrap_or_default().get();
    let database = Database::new(&request.env)?;
    let ids = store::ids(after, INTEGRITY_BATCH_SIZE);
    let deletions = store::deletions(MAX_INTEGRITY_ENTRIES);
    let (page, deletions) = try_join(database.row(&ids), database.row(&deletions)).await?;
    let (page, deletions) = page.zip(deletions).ok_or_else(Problem::internal)?;
    let text = |row: &Row, column| row.text(column).ok_or_else(Problem::internal);
    let next = page
        .integer("next")
        .map_or("null".to_owned(), |id| id.to_string());
    let body = format!(
        r#"{{"places":{},"next":{next},"deleting":{}}}"#,
        text(&page, "ids")?,
        text(&deletions, "deletions")?,
    );
    Ok(Response::ok(
        MediaType::Json.content_type(),
        Body::Text(body),
    ))
}
