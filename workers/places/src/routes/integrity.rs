//! `GET /internal/integrity`: this register's part of the report on integrity. The entry point
//! forwards nothing to this address.

use edge::{Answer, Body, Call, Database, Error, Row};
use futures_util::future::try_join;
use registry::integrity::{DOUBTS_SHOWN, PLACES_A_PAGE};
use registry::params::Position;
use registry::{Format, Problem};

use crate::store;

/// The places after one, and those on their way out:
/// `{"places":[1,2],"next":null,"going":[]}`.
///
/// # Errors
/// A query that cannot be used.
pub async fn integrity(call: Call) -> Result<Answer, Error> {
    let after = call.params(&["after"])?.get::<Position>("after")?;
    let after = after.unwrap_or_default().get();
    let database = Database::of(&call.env)?;
    let ids = store::ids(after, PLACES_A_PAGE);
    let going = store::going(DOUBTS_SHOWN);
    let (page, going) = try_join(database.row(&ids), database.row(&going)).await?;
    let (page, going) = page.zip(going).ok_or_else(Problem::internal)?;
    let text = |row: &Row| row.text(0).unwrap_or_default();
    let next = page
        .integer(1)
        .map_or("null".to_owned(), |id| id.to_string());
    let body = format!(
        r#"{{"places":{},"next":{next},"going":{}}}"#,
        text(&page),
        text(&going),
    );
    Ok(Answer::ok(Format::Json.media_type(), Body::Text(body)))
}
