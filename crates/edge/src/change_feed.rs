//! Pages of a register's log: one record's history, and the feed of all changes.

use domain::Param;
use http_semantics::Problem;
use http_semantics::media::LIST;
use tables::Cursor;
use tables::change_log::Log;
use tables::page::{self, Limit};

use crate::coalescer::revalidation::COUNTER;
use crate::{Answer, Body, Call, Database, Error};

/// The parameters of a history.
pub const HISTORY_PARAMETERS: &[&str] = &["after", "limit"];

/// The parameters of a feed of changes.
pub const FEED_PARAMETERS: &[&str] = &["since", "limit"];

/// The cursor of a log is an id: a `seq` or a version.
fn position(
    call: &Call,
    parameter: &'static str,
    known: &'static [&'static str],
) -> Result<(i64, Limit), Problem> {
    let params = call.params(known)?;
    let position = match params.get::<Cursor>(parameter)? {
        None => 0,
        Some(Cursor::Id(position)) => position,
        Some(Cursor::Name { .. } | Cursor::Pair(..)) => {
            return Err(Problem::invalid_parameter(parameter, Cursor::EXPECTED));
        }
    };
    Ok((position, params.get("limit")?.unwrap_or_default()))
}

/// `GET …/{id}/history`: the versions of one record, oldest first, the deleted ones' too.
///
/// # Errors
/// A query that cannot be used, or a record that never was.
pub async fn history(
    call: Call,
    log: Log,
    id: i64,
    path: &str,
    kind: &str,
) -> Result<Answer, Error> {
    let (after, limit) = position(&call, "after", HISTORY_PARAMETERS)?;
    let format = call.format(LIST)?;
    let statement = log.of_record(id, after, limit, format.frame());
    let row = Database::of(&call.env)?.row(&statement).await?;
    let row = row.ok_or_else(Problem::internal)?;
    let last = row.integer(1);
    if last.is_none() && after == 0 {
        return Err(Problem::not_found(kind, id).into());
    }
    let next = last.filter(|_| row.truth(2)).map(Cursor::Id);
    let next = next.map(|after| page::next_link(path, &call.query, &after.to_string()));
    Ok(Answer::ok(format.media_type(), Body::Js(row.value(0))).header_if("link", next))
}

/// `GET …/changes`: every change behind a cursor, in the order in which they were made. There
/// is always a next page, for what is yet to come.
///
/// # Errors
/// A query that cannot be used.
pub async fn changes(call: Call, log: Log, path: &str) -> Result<Answer, Error> {
    let (since, limit) = position(&call, "since", FEED_PARAMETERS)?;
    let format = call.format(LIST)?;
    let statement = log.since(since, limit, format.frame());
    let row = Database::of(&call.env)?.row(&statement).await?;
    let row = row.ok_or_else(Problem::internal)?;
    let next = row.integer(1).unwrap_or(since);
    let link = page::since_link(path, &call.query, &Cursor::Id(next).to_string());
    Ok(Answer::ok(format.media_type(), Body::Js(row.value(0))).header("link", link))
}

/// The change counter of a register, as the marks of what is made from it alone.
pub async fn marks(env: crate::Env, log: Log) -> Option<crate::Marks> {
    let row = Database::of(&env).ok()?.row(&log.counter()).await.ok()??;
    Some([row.integer(0)?, 0])
}

/// `GET /internal/counter`: how far the register is, by the header [`COUNTER`]. Many ask at once, and few of them ask the
/// database.
///
/// # Errors
/// A database that does not answer.
pub async fn counter(call: Call, log: Log) -> Result<Answer, Error> {
    call.params(&[])?;
    let marks = crate::coalescer::revalidation::marks(&call, move |env| marks(env, log)).await;
    let [counter, _] = marks.ok_or_else(Problem::internal)?;
    // A header is there with the answer; a body would be another wait.
    Ok(Answer::no_content().header(COUNTER, counter.to_string()))
}
