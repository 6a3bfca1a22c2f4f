//! The change log: the history of one record, the feed of all changes, and the change sequence.

use domain::Param;
use http_semantics::media::LIST_MEDIA_TYPES;
use http_semantics::{Epoch, Problem, Validator};
use tables::page::{self, PageSize};
use tables::{ChangeSeqs, Cursor, Record, change_log};

use super::{CHANGE_SEQ_HEADER, Collection, not_found};
use crate::coalescer::{change_seqs_reader, current_change_seqs};
use crate::d1::{Database, Row};
use crate::env::Env;
use crate::error::Error;
use crate::http::request::Request;
use crate::http::response::{Body, Response};

/// The parameters of a history.
pub const HISTORY_PARAMETERS: &[&str] = &["after", "limit"];

/// The parameters of a change feed.
pub const CHANGES_PARAMETERS: &[&str] = &["since", "limit"];

/// Parses the cursor, which is a change sequence or a version, and the limit.
fn parse_position(
    request: &Request,
    parameter: &'static str,
    known: &'static [&'static str],
) -> Result<(Option<Validator>, PageSize), Problem> {
    let params = request.params(known)?;
    let position = match params.get::<Cursor>(parameter)? {
        None => None,
        Some(Cursor::Change(position)) => Some(position),
        Some(_) => return Err(Problem::invalid_parameter(parameter, Cursor::EXPECTED)),
    };
    Ok((position, params.get("limit")?.unwrap_or_default()))
}

/// The number of a position, or 0 for the beginning.
fn number(position: Option<Validator>) -> i64 {
    position.map_or(0, |position| position.number)
}

/// The epoch of a page of changes.
///
/// # Errors
/// A cursor of another epoch.
fn epoch(row: &Row, cursor: Option<Validator>) -> Result<Epoch, Problem> {
    let epoch = row.text("epoch").as_deref().and_then(Epoch::parse);
    let epoch = epoch.ok_or_else(Problem::internal)?;
    if cursor.is_some_and(|cursor| cursor.epoch != epoch) {
        return Err(Problem::history_restarted());
    }
    Ok(epoch)
}

/// `GET /v1/{collection}/{id}/history`: the versions of one record, oldest first. A deleted record
/// has a history, too.
///
/// # Errors
/// An invalid query, a cursor from before a restore, or a record that never existed.
pub async fn history<R: Collection>(request: Request) -> Result<Response, Error> {
    let id: R::Id = request.id()?;
    let (after, limit) = parse_position(&request, "after", HISTORY_PARAMETERS)?;
    let format = request.format(LIST_MEDIA_TYPES)?;
    let (table, framing) = (R::table(), format.framing());
    let statement = change_log::versions(table, id.into(), number(after), limit, framing);
    let row = Database::new(&request.env)?.row(&statement).await?;
    let row = row.ok_or_else(Problem::internal)?;
    let epoch = epoch(&row, after)?;
    let last = row.integer("last");
    if last.is_none() && after.is_none() {
        return Err(not_found::<R>(id).into());
    }
    let path = format!("{}/{}/history", table.path(), id.into());
    let next = last.filter(|_| row.boolean("has_more"));
    let next = next.map(|number| Cursor::Change(Validator { number, epoch }));
    let next = next.map(|after| page::next_link(&path, &request.query, &after.to_string()));
    let body = Body::Js(row.value("body"));
    Ok(Response::ok(format.content_type(), body).header_if("link", next))
}

/// `GET /v1/{collection}/changes`: the changes after a cursor, oldest first. The last page also
/// links to a next page, for future changes. The gateway reads the epoch from a header.
///
/// # Errors
/// An invalid query, or a cursor from before a restore.
pub async fn changes<R: Record>(request: Request) -> Result<Response, Error> {
    let (since, limit) = parse_position(&request, "since", CHANGES_PARAMETERS)?;
    let format = request.format(LIST_MEDIA_TYPES)?;
    let statement = change_log::since(R::table(), number(since), limit, format.framing());
    let row = Database::new(&request.env)?.row(&statement).await?;
    let row = row.ok_or_else(Problem::internal)?;
    let last = Validator {
        epoch: epoch(&row, since)?,
        number: row.integer("last").unwrap_or(number(since)),
    };
    let path = format!("{}/changes", R::table().path());
    let link = page::since_link(&path, &request.query, &Cursor::Change(last).to_string());
    let body = Body::Js(row.value("body"));
    Ok(Response::ok(format.content_type(), body)
        .header("link", link)
        .header(CHANGE_SEQ_HEADER, last.to_string()))
}

/// Reads the change sequence of the table. It revalidates cached responses that depend on this table
/// only.
pub async fn current_seqs<R: Record>(env: Env) -> Option<ChangeSeqs> {
    let statement = change_log::change_seq(R::table());
    let row = Database::new(&env).ok()?.row(&statement).await.ok()??;
    row.validator("change_seq").map(ChangeSeqs::from_table)
}

/// `GET /internal/counter`: the change sequence of the table. It is sent in a header, because the
/// gateway would have to wait for a body separately. Concurrent requests share one query.
///
/// # Errors
/// A database that does not respond.
pub async fn change_seq<R: Record>(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    let current = current_change_seqs(&request, change_seqs_reader(current_seqs::<R>)).await;
    let seq = current.ok_or_else(Problem::internal)?.places;
    Ok(Response::no_content().header(CHANGE_SEQ_HEADER, seq.to_string()))
}
