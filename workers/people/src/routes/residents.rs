//! `/internal/residents/{id}/…`: the steps of the deletion of a place that change its people
//! (docs/integrity.md). The places worker calls them. Clients cannot reach these paths, because the
//! gateway does not forward requests to them.

use domain::PlaceId;
use edge::{Database, Error, Request, Response, Row};
use http_semantics::Problem;
use serde_json::{Value, json};
use tables::statement::Statement;

use crate::store;

/// The maximum size of a list of places: those of a batch of operations.
const MAX_LIST_BYTES: usize = 32 * 1024;

/// Counts the people of a place: `{"living":1,"dead":0,"changed":0}`. If nobody lives there, revokes
/// the pending writes that refer to it, and `changed` is their number.
///
/// # Errors
/// An invalid id.
pub async fn close(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    run(&request, &store::close(request.id()?)).await
}

/// Does for the places in the body, a JSON array of ids, what [`close`] does for one. The response
/// lists those with people: `[{"placeId":1,"living":0,"dead":2}]`.
///
/// # Errors
/// A body that is not UTF-8.
pub async fn close_all(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    let places = String::from_utf8(request.body(MAX_LIST_BYTES).await?);
    let places = places.map_err(|_| Problem::internal())?;
    let database = Database::new(&request.env)?;
    let results = database.batch(&store::close_all(&places)).await?;
    let rows = results.last().into_iter().flatten();
    let count = |row: &Row| {
        json!({
            "placeId": row.integer("place_id"),
            "living": row.integer("living"),
            "dead": row.integer("dead"),
        })
    };
    let people: Vec<Value> = rows.map(count).collect();
    Ok(Response::json(Value::from(people).to_string()))
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
