//! `/internal/residents/{id}/…`: the steps of a deletion that concern the people of the place
//! (docs/integrity.md). The gateway never forwards a request to these paths.

use domain::PlaceId;
use edge::{Database, Error, Request, Response};
use http_semantics::Problem;
use serde_json::json;
use tables::statement::Statement;

use crate::store;

/// Counts the people of a place: `{"living":1,"dead":0,"changed":0}`. If nobody lives there, revokes
/// the pending writes that refer to it, and `changed` is their number.
///
/// # Errors
/// An invalid id.
pub async fn close(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    run(&request, &store::close(request.id()?)).await
}

/// Moves up to [`store::MAX_MOVED`] residents to the place `to`, revokes the pending writes that
/// refer to the old place, and detaches its dead after the last resident. Counts its remaining people and
/// those who were moved or detached: `{"living":0,"dead":2,"changed":5}`.
///
/// # Errors
/// An invalid id.
pub async fn reassign(request: Request) -> Result<Response, Error> {
    let to: Option<PlaceId> = request.params(&["to"])?.get("to")?;
    let to = to.ok_or_else(|| Problem::invalid_parameter("to", "the id of a place"))?;
    let author = request.env.author();
    run(&request, &store::reassign(request.id()?, to, &author)).await
}

/// Detaches up to [`store::MAX_MOVED`] dead people from a deleted place, and counts its remaining
/// people and those who were detached: `{"living":0,"dead":0,"changed":3}`.
///
/// # Errors
/// An invalid id.
pub async fn detach_dead(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    let author = request.env.author();
    run(&request, &store::detach_dead(request.id()?, &author)).await
}

/// Runs the statements. The last one counts the people, and each count has a number of changed rows.
async fn run(request: &Request, statements: &[Statement]) -> Result<Response, Error> {
    let results = Database::new(&request.env)?.batch(statements).await?;
    let row = results.last().and_then(|rows| rows.first());
    let row = row.ok_or_else(Problem::internal)?;
    let count = |column| row.integer(column).ok_or_else(Problem::internal);
    let changed = results
        .iter()
        .flatten()
        .filter_map(|row| row.integer("changed"));
    let body = json!({
        "living": count("living")?,
        "dead": count("dead")?,
        "changed": changed.sum::<i64>(),
    });
    Ok(Response::json(body.to_string()))
}
