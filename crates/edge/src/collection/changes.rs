//! The change log: the history of one record, the feed of all changes, and the change sequence.

use domain::Param;
use http_semantics::media::LIST_MEDIA_TYPES;
use http_semantics::{Epoch, Problem, Validator};
use tables::change_feed::{self, ChangeFormat, ChangesQuery, Since};
use tables::page::{self, PageSize};
use tables::{ChangeSeqs, Cursor, Record, change_log};

use super::{CHANGE_SEQ_HEADER, Collection, not_found};
use crate::coalescer::{change_seqs_reader, current_change_seqs};
use crate::d1::{Database, Row};
use crate::env::Env;
use crate::error::Error;
use crate::http::request::Request;
use crate::http::response::{Body, Response};
use crate::time::now;

/// The parameters of a history.
pub const HISTORY_PARAMETERS: &[&str] = &["after", "limit"];

/// The header of a page of changes after which there are more changes already.
pub const MORE_CHANGES_HEADER: &str = "x-more-changes";

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

/// The position of a cursor in the feed of one table.
fn position_of(cursor: &Cursor) -> Option<Validator> {
    match cursor {
        Cursor::Change(position) => Some(*position),
        _ => None,
    }
}

/// `GET /v1/{collection}/changes`: the changes of the table, oldest first or latest first. Oldest
/// first, the last page also links to a next page, for future changes. The gateway reads the
/// position of the next page from a header.
///
/// # Errors
/// An invalid query, or a cursor from before a restore.
pub async fn changes<R: Record>(request: Request) -> Result<Response, Error> {
    let table = R::table();
    let params = request.params(change_feed::parameters(table))?;
    let query = ChangesQuery::from_params(&params, now(), position_of)?;
    let format = request.format(LIST_MEDIA_TYPES)?;
    let statement = change_feed::page(table, &query, format.framing(), ChangeFormat::Json);
    let row = Database::new(&request.env)?.row(&statement).await?;
    let row = row.ok_or_else(Problem::internal)?;
    let known = match query.since {
        Since::Position(position) => Some(position),
        _ => None,
    };
    let epoch = epoch(&row, known)?;
    self::epoch(&row, query.after)?;
    let next = Validator {
        epoch,
        number: row.integer("last").ok_or_else(Problem::internal)?,
    };
    let has_more = row.boolean("has_more");
    let path = format!("{}/changes", table.path());
    let link = changes_link(
        &path,
        &request.query,
        query.descending,
        has_more,
        &Cursor::Change(next),
    );
    let body = Body::Js(row.value("body"));
    Ok(Response::ok(format.content_type(), body)
        .header_if("link", link)
        .header_if(MORE_CHANGES_HEADER, has_more.then_some("true"))
        .header(CHANGE_SEQ_HEADER, next.to_string()))
}

/// The link to the next page of a feed. In descending order the last page has none.
#[must_use]
pub fn changes_link(
    path: &str,
    query: &str,
    descending: bool,
    has_more: bool,
    next: &Cursor,
) -> Option<String> {
    let next = next.to_string();
    if descending {
        has_more.then(|| page::next_link(path, query, &next))
    } else {
        Some(page::since_link(path, query, &next))
    }
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
