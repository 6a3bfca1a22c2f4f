//! Pages of a change log: the history of one record, and the feed of all changes.

use domain::Param;
use http_semantics::Problem;
use http_semantics::media::LIST_MEDIA_TYPES;
use tables::page::{self, PageSize};
use tables::{Cursor, Record, change_log};

use super::{Collection, not_found, path};
use crate::change_seqs::{self, CHANGE_SEQ_HEADER, ChangeSeqs};
use crate::{Body, Database, Env, Error, Request, Response};

/// The parameters of a history.
pub const HISTORY_PARAMETERS: &[&str] = &["after", "limit"];

/// The parameters of a change feed.
pub const CHANGES_PARAMETERS: &[&str] = &["since", "limit"];

/// The cursor of a change log is a `seq` or a version.
fn position(
    request: &Request,
    parameter: &'static str,
    known: &'static [&'static str],
) -> Result<(i64, PageSize), Problem> {
    let params = request.params(known)?;
    let position = match params.get::<Cursor>(parameter)? {
        None => 0,
        Some(Cursor::Id(position)) => position,
        Some(Cursor::Name { .. } | Cursor::Pair(..)) => {
            return Err(Problem::invalid_parameter(parameter, Cursor::EXPECTED));
        }
    };
    Ok((position, params.get("limit")?.unwrap_or_default()))
}

/// `GET /v1/{collection}/{id}/history`: the versions of one record, oldest first. A deleted
/// record has a history too.
///
/// # Errors
/// An invalid query, or a record that never existed.
pub async fn history<R: Collection>(request: Request) -> Result<Response, Error> {
    let id: R::Id = request.id()?;
    let (after, limit) = position(&request, "after", HISTORY_PARAMETERS)?;
    let format = request.format(LIST_MEDIA_TYPES)?;
    let statement = change_log::versions(R::table(), id.into(), after, limit, format.framing());
    let row = Database::new(&request.env)?.row(&statement).await?;
    let row = row.ok_or_else(Problem::internal)?;
    let last = row.integer("last");
    if last.is_none() && after == 0 {
        return Err(not_found::<R>(id).into());
    }
    let path = format!("{}/{}/history", path::<R>(), id.into());
    let next = last.filter(|_| row.boolean("has_more")).map(Cursor::Id);
    let next = next.map(|after| page::next_link(&path, &request.query, &after.to_string()));
    let body = Body::Js(row.value("body"));
    Ok(Response::ok(format.content_type(), body).header_if("link", next))
}

/// `GET /v1/{collection}/changes`: every change after a cursor, in the order in which they were
/// made. There is always a next page, for future changes.
///
/// # Errors
/// An invalid query.
pub async fn changes<R: Record>(request: Request) -> Result<Response, Error> {
    let (since, limit) = position(&request, "since", CHANGES_PARAMETERS)?;
    let format = request.format(LIST_MEDIA_TYPES)?;
    let statement = change_log::since(R::table(), since, limit, format.framing());
    let row = Database::new(&request.env)?.row(&statement).await?;
    let row = row.ok_or_else(Problem::internal)?;
    let next = Cursor::Id(row.integer("last").unwrap_or(since)).to_string();
    let path = format!("{}/changes", path::<R>());
    let link = page::since_link(&path, &request.query, &next);
    let body = Body::Js(row.value("body"));
    Ok(Response::ok(format.content_type(), body).header("link", link))
}

/// The change sequence of the table, to revalidate cached responses that depend on it alone.
pub async fn current_seqs<R: Record>(env: Env) -> Option<ChangeSeqs> {
    let statement = change_log::change_seq(R::table());
    let row = Database::new(&env).ok()?.row(&statement).await.ok()??;
    row.integer("change_seq").map(ChangeSeqs::from_table)
}

/// `GET /internal/counter`: the change sequence of the table, in a header: a header arrives with
/// the response, and a body would be another wait. Concurrent requests share one query.
///
/// # Errors
/// A database that does not respond.
pub async fn change_seq<R: Record>(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    let current = change_seqs::current(&request, current_seqs::<R>).await;
    let seq = current.ok_or_else(Problem::internal)?.places;
    Ok(Response::no_content().header(CHANGE_SEQ_HEADER, seq.to_string()))
}
