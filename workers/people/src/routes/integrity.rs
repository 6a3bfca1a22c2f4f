//! `GET /internal/integrity`: this database's part of the integrity report. The gateway never
//! forwards a request to this path.

use domain::place_status::{INTEGRITY_BATCH_SIZE, MAX_INTEGRITY_ENTRIES};
use edge::{Body, Database, Error, Request, Response, Row};
use futures_util::future::try_join;
use http_semantics::params::AfterId;
use http_semantics::{MediaType, Problem};

use crate::store;

/// The number of people of the places after one, double kings and pending writes:
/// `{"residents":[…],"next":null,"doubleKings":[],"pending":[]}`.
///
/// # Errors
/// An invalid query.
pub async fn integrity(request: Request) -> Result<Response, Error> {
    let after = request.params(&["after"])?.get::<AfterId>("after")?;
    let after = after.unwrap_or_default().get();
    let database = Database::new(&request.env)?;
    let residents = store::residents(after, INTEGRITY_BATCH_SIZE);
    let findings = store::findings(MAX_INTEGRITY_ENTRIES);
    let (page, findings) = try_join(database.row(&residents), database.row(&findings)).await?;
    let (page, findings) = page.zip(findings).ok_or_else(Problem::internal)?;
    let text = |row: &Row, column| row.text(column).ok_or_else(Problem::internal);
    let next = page
        .integer("next")
        .map_or("null".to_owned(), |id| id.to_string());
    let body = format!(
        r#"{{"residents":{},"next":{next},"doubleKings":{},"pending":{}}}"#,
        text(&page, "residents")?,
        text(&findings, "double_kings")?,
        text(&findings, "pending")?,
    );
    Ok(Response::ok(
        MediaType::Json.content_type(),
        Body::Text(body),
    ))
}
