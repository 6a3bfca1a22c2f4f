//! `GET /internal/integrity`: this register's part of the report on integrity. The entry point
//! forwards nothing to this address.

use edge::{Answer, Body, Call, Database, Error, Row};
use futures_util::future::try_join;
use registry::integrity::{DOUBTS_SHOWN, PLACES_A_PAGE};
use registry::params::Position;
use registry::{Format, Problem};

use crate::store;

/// Who belongs to the places after one, and what is in doubt:
/// `{"residents":[…],"next":null,"doubleKings":[],"unsettled":[]}`.
///
/// # Errors
/// A query that cannot be used.
pub async fn integrity(call: Call) -> Result<Answer, Error> {
    let after = call.params(&["after"])?.get::<Position>("after")?;
    let after = after.unwrap_or_default().get();
    let database = Database::of(&call.env)?;
    let residents = store::residents(after, PLACES_A_PAGE);
    let doubts = store::doubts(DOUBTS_SHOWN);
    let (page, doubts) = try_join(database.row(&residents), database.row(&doubts)).await?;
    let (page, doubts) = page.zip(doubts).ok_or_else(Problem::internal)?;
    let text = |row: &Row, column| row.text(column).unwrap_or_default();
    let next = page
        .integer(1)
        .map_or("null".to_owned(), |id| id.to_string());
    let body = format!(
        r#"{{"residents":{},"next":{next},"doubleKings":{},"unsettled":{}}}"#,
        text(&page, 0),
        text(&doubts, 0),
        text(&doubts, 1),
    );
    Ok(Answer::ok(Format::Json.media_type(), Body::Text(body)))
}
