//! `/internal/residents/{id}/…`: the steps of a place's deletion that concern its people. The
//! gateway never forwards a request to these paths.

use domain::PlaceId;
use edge::{Answer, Body, Call, Database, Error};
use http_semantics::{MediaType, Problem};
use tables::statement::Statement;

use crate::store;

/// Counts the people of a place. If nobody lives there, revokes the pending writes that refer to
/// it: `{"living":1,"dead":0}`.
///
/// # Errors
/// An invalid id.
pub async fn close(call: Call) -> Result<Answer, Error> {
    call.params(&[])?;
    run(&call, &store::close(call.id()?)).await
}

/// Moves residents `to` another place, as many as one statement may, revokes the pending writes
/// that refer to the old one, and counts its people: `{"living":0,"dead":2}`.
///
/// # Errors
/// An invalid id.
pub async fn reassign(call: Call) -> Result<Answer, Error> {
    let to: Option<PlaceId> = call.params(&["to"])?.get("to")?;
    let to = to.ok_or_else(|| Problem::invalid_parameter("to", "the id of a place"))?;
    run(&call, &store::reassign(call.id()?, to)).await
}

/// Removes a deleted place from its dead, as many as one statement may, and counts its people:
/// `{"living":0,"dead":0}`.
///
/// # Errors
/// An invalid id.
pub async fn detach_dead(call: Call) -> Result<Answer, Error> {
    call.params(&[])?;
    run(&call, &store::detach_dead(call.id()?)).await
}

/// Runs the steps. The last one counts.
async fn run(call: &Call, statements: &[Statement]) -> Result<Answer, Error> {
    let results = Database::of(&call.env)?.batch(statements).await?;
    let rows = results.last().ok_or_else(Problem::internal)?;
    let (living, dead) = match rows.first() {
        Some(row) => row
            .integer("living")
            .zip(row.integer("dead"))
            .ok_or_else(Problem::internal)?,
        None => (0, 0),
    };
    let body = serde_json::json!({ "living": living, "dead": dead });
    Ok(Answer::ok(
        MediaType::Json.content_type(),
        Body::Text(body.to_string()),
    ))
}
