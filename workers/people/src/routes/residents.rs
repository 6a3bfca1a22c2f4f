//! `/internal/residents/{id}`: what the owner of places asks and has done when it deletes a
//! place. The entry point forwards nothing to these addresses.

use edge::{Answer, Body, Call, Database, Error, Row};
use registry::{Format, PlaceId, Problem};

use crate::store;

/// How many belong to a place: `{"living":1,"dead":0,"comingBack":0,"inDoubt":0}`.
///
/// # Errors
/// An id that is none.
pub async fn count(call: Call) -> Result<Answer, Error> {
    let row = Database::of(&call.env)?
        .row(&store::count(call.id()?))
        .await?;
    Ok(answer(row.as_ref()))
}

/// Moves living people `to` another place for the deletion with a `token`, and counts who is
/// left.
///
/// # Errors
/// An id that is none.
pub async fn relocate(call: Call) -> Result<Answer, Error> {
    let params = call.params(&["to", "token"])?;
    let (to, token) = (params.get("to")?, params.get("token")?);
    let to: PlaceId = to.ok_or_else(|| Problem::invalid_parameter("to", "the id of a place"))?;
    let missing = || Problem::invalid_parameter("token", "that of the deletion");
    let token: PlaceId = token.ok_or_else(missing)?;
    let done = Database::of(&call.env)?
        .batch(&store::relocate(call.id()?, to, token.get()))
        .await?;
    Ok(answer(done.last().and_then(|rows| rows.first())))
}

/// Lets go of the dead of a place that is gone, and counts who is left.
///
/// # Errors
/// An id that is none.
pub async fn release(call: Call) -> Result<Answer, Error> {
    let done = Database::of(&call.env)?
        .batch(&store::release(call.id()?))
        .await?;
    Ok(answer(done.last().and_then(|rows| rows.first())))
}

fn answer(row: Option<&Row>) -> Answer {
    let column = |column| row.and_then(|row| row.integer(column)).unwrap_or_default();
    let body = serde_json::json!({
        "living": column(0), "dead": column(1), "comingBack": column(2),
        "inDoubt": column(3),
    });
    Answer::ok(Format::Json.media_type(), Body::Text(body.to_string()))
}
