//! Pages of a register's log: one record's history, and the feed of all changes.

use domain::Param;
use http_semantics::Problem;
use http_semantics::media::LIST;
use tables::Cursor;
use tables::change_log::Log;
use tables::page::{self, Limit};

use crate::change_seqs::{self, CHANGE_SEQ, ChangeSeqs};
use crate::d1::Database;
use crate::env::Env;
use crate::error::Error;
use crate::http::request::Call;
use crate::http::response::{Answer, Body};

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

/// The change sequence of a table.
pub async fn change_seqs(env: Env, log: Log) -> Option<ChangeSeqs> {
    let row = Database::of(&env).ok()?.row(&log.counter()).await.ok()??;
    row.integer(0).map(ChangeSeqs::of_table)
}

/// `GET /internal/counter`: the change sequence of a table, in the header [`CHANGE_SEQ`].
/// Concurrent requests share one query.
///
/// # Errors
/// A database that does not answer.
pub async fn counter(call: Call, log: Log) -> Result<Answer, Error> {
    call.params(&[])?;
    let current = change_seqs::current(&call, move |env| change_seqs(env, log)).await;
    let seq = current.ok_or_else(Problem::internal)?.places;
    // The gateway receives a header with the response. It would have to wait for a body.
    Ok(Answer::no_content().header(CHANGE_SEQ, seq.to_string()))
}
