//! Routes that read the change log: the history of one record, the feed of all changes, and the
//! change sequence.

use std::rc::Rc;

use domain::Param;
use futures_util::FutureExt;
use http_semantics::media::{FEED_FORMATS, FeedFormat, LIST_MEDIA_TYPES, ListFraming};
use http_semantics::{Epoch, MediaType, Problem, Validator};
use tables::change_feed::{self, ChangeFormat, ChangesQuery, Since};
use tables::page::{self, PageSize};
use tables::{ChangeSeqs, Cursor, Record, TableSpec, change_log};

use super::{CHANGE_SEQ_HEADER, Collection, not_found};
use crate::change_stream::{self, Batch, Event, Position, ReadChanges};
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

/// A page of the feed of a table.
struct Page {
    row: Row,
    /// The position of the next page.
    next: Validator,
    has_more: bool,
}

async fn read_page(
    env: &Env,
    table: &TableSpec,
    query: &ChangesQuery<Validator>,
    framing: ListFraming,
    format: ChangeFormat,
) -> Result<Page, Error> {
    let statement = change_feed::page(table, query, framing, format);
    let row = Database::new(env)?.row(&statement).await?;
    let row = row.ok_or_else(Problem::internal)?;
    let known = match query.since {
        Since::Position(position) => Some(position),
        _ => None,
    };
    epoch(&row, known)?;
    let next = Validator {
        epoch: epoch(&row, query.after)?,
        number: row.integer("last").ok_or_else(Problem::internal)?,
    };
    Ok(Page {
        next,
        has_more: row.boolean("has_more"),
        row,
    })
}

/// `GET /v1/{collection}/changes`: the changes of the table, oldest first or latest first. Oldest
/// first, the last page also links to a next page, for future changes. The gateway reads the
/// position of the next page from a header. A client that accepts events gets them live.
///
/// # Errors
/// An invalid query, or a cursor from before a restore.
pub async fn changes<R: Record>(request: Request) -> Result<Response, Error> {
    let query = parse_query(&request, R::table())?;
    match request.format(FEED_FORMATS)? {
        FeedFormat::Page(format) => {
            page_response(&request, R::table(), &query, format, ChangeFormat::Json).await
        }
        FeedFormat::EventStream => event_stream(&request, R::table(), query).await,
    }
}

/// `GET /internal/changes`: the changes of the table for the streams of the gateway.
///
/// # Errors
/// As [`changes`].
pub async fn stream_lines<R: Record>(request: Request) -> Result<Response, Error> {
    let query = parse_query(&request, R::table())?;
    let format = ChangeFormat::StreamLine;
    page_response(&request, R::table(), &query, MediaType::Json, format).await
}

fn parse_query(request: &Request, table: &TableSpec) -> Result<ChangesQuery<Validator>, Problem> {
    let params = request.params(change_feed::parameters(table))?;
    ChangesQuery::from_params(&params, now(), position_of)
}

async fn page_response(
    request: &Request,
    table: &TableSpec,
    query: &ChangesQuery<Validator>,
    format: MediaType,
    change_format: ChangeFormat,
) -> Result<Response, Error> {
    let page = read_page(&request.env, table, query, format.framing(), change_format).await?;
    let Page {
        row,
        next,
        has_more,
    } = page;
    let path = format!("{}/changes", table.path());
    let cursor = Cursor::Change(next);
    let link = changes_link(&path, &request.query, query.descending, has_more, &cursor);
    Ok(
        Response::ok(format.content_type(), Body::Js(row.value("body")))
            .header_if("link", link)
            .header_if(MORE_CHANGES_HEADER, has_more.then_some("true"))
            .header(CHANGE_SEQ_HEADER, next.to_string()),
    )
}

/// The changes of a table as events.
async fn event_stream(
    request: &Request,
    table: &'static TableSpec,
    query: ChangesQuery<Validator>,
) -> Result<Response, Error> {
    let collection = usize::from(change_feed::has_place(table));
    let position = move |own: Validator| {
        let mut position = Position::default();
        if let Some(slot) = position.get_mut(collection) {
            *slot = Some(own);
        }
        position
    };
    let query = query.map(|own| Some(position(own)));
    let query = query.ok_or_else(Problem::internal)?;
    let read: ReadChanges = Rc::new(move |env, query| {
        async move {
            let query = query.map(|position| position.get(collection).copied().flatten());
            let query = query.ok_or_else(Problem::internal)?;
            let framing = MediaType::NdJson.framing();
            let page = read_page(&env, table, &query, framing, ChangeFormat::StreamLine).await?;
            let lines = page.row.text("body").unwrap_or_default();
            let events: Option<Vec<Event>> = lines.lines().map(Event::parse).collect();
            Ok(Batch {
                events: events.ok_or_else(Problem::internal)?,
                next: position(page.next),
                has_more: page.has_more,
            })
        }
        .boxed_local()
    });
    let of_cursor = |cursor: &Cursor| position_of(cursor).map(position);
    change_stream::respond(request, query, of_cursor, read).await
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
        Some(page::link(path, query, "since", &next))
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
