//! The routes that every collection has. They are generic over the table ([`tables::schema`]), the
//! rules of one record ([`Record`]) and the rules of a write ([`Writer`]).

mod changes;
mod export;
mod restore;
pub mod versioned_record;
mod write;

use domain::RecordId;
use futures_util::future::join;
use http_semantics::media::TABLE_MEDIA_TYPES;
use http_semantics::{MediaType, Problem, Tag, Validator};
use tables::list::MAX_MATCHES;
use tables::{ChangeSeqs, ListQuery, Record, page, record};

use self::versioned_record::VersionedRecord;
use crate::collection::versioned_record::NORMALIZE;
use crate::d1::{Database, Row};
use crate::error::Error;
use crate::health;
use crate::http::request::Request;
use crate::http::response::{Body, Response};

pub use changes::{
    HISTORY_PARAMETERS, MORE_CHANGES_HEADER, change_seq, changes, changes_link, current_seqs,
    history, stream_lines,
};
pub use export::{export, export_format};
pub use restore::restore;
pub use write::{Change, Writer, Written, create, delete_if, patch, put, read_current};

/// The header in which a backend sends the change sequence of its table to the gateway, with its
/// epoch.
pub const CHANGE_SEQ_HEADER: &str = "x-change-counter";

/// The header with the change sequence of an erasure, for the gateway.
pub const ERASURE_HEADER: &str = "x-erasure";

/// A kind of record that a backend service stores and serves.
pub trait Collection: Record {
    /// The id of a record.
    type Id: RecordId;

    /// Writes the records.
    type Writer: Writer<Record = Self>;

    /// The OpenAPI document of the service.
    const OPENAPI: &'static str;

    /// The binding and the name of the other service, which this one calls.
    const PEER: (&'static str, &'static str);
}

/// The problem of a record that does not exist.
#[must_use]
pub fn not_found<R: Record>(id: impl Into<i64>) -> Problem {
    Problem::not_found(R::table().declaration.singular, id.into())
}

/// `GET /v1/{collection}`: a page of records.
///
/// # Errors
/// An invalid query.
pub async fn list<R: Record>(request: Request) -> Result<Response, Error> {
    let table = R::table();
    let params = request.params(&table.list_parameters)?;
    let query = ListQuery::from_params(table, &params, NORMALIZE)?;
    let format = request.format(TABLE_MEDIA_TYPES)?;
    let known = request.known_change_seq(format)?;
    let statement = tables::list::page(table, &query, format, known);
    let database = Database::new(&request.env)?;
    match database.row_if_changed(&statement, known).await? {
        Some(row) => page_response(&row, format, &table.path(), &request.query),
        None => Ok(list_unchanged(format, known)),
    }
}

/// The 304 for a list of one table at a change sequence.
#[must_use]
pub fn list_unchanged(format: MediaType, known: Option<Validator>) -> Response {
    let known = known.unwrap_or_default();
    let tag = Tag::from_change_seqs(format, &[known]);
    Response::not_modified(&tag).with_change_seqs(Some(ChangeSeqs::from_table(known)))
}

/// The response with a page, whose row is (body, cursor, total, `total_is_minimum`): a link to the next
/// page, and `X-Total-Count` if the client asked for the total.
///
/// # Errors
/// Too many matches.
pub fn page_response(
    (row, change_seq): &(Row, Validator),
    format: MediaType,
    path: &str,
    query: &str,
) -> Result<Response, Error> {
    let body = row.value("body");
    if body.is_null() {
        return Err(Problem::too_many_matches(MAX_MATCHES).into());
    }
    let next = row.text("cursor");
    let next = next.map(|cursor| page::next_link(path, query, &cursor));
    let total = row.integer("total").map(|total| total.to_string());
    let relation = row.boolean("total_is_minimum").then_some("at-least");
    Ok(Response::ok(format.content_type(), Body::Js(body))
        .with_change_seqs(Some(ChangeSeqs::from_table(*change_seq)))
        .with_etag(&Tag::from_change_seqs(format, &[*change_seq]))
        .header_if("link", next)
        .header_if("x-total-count", total)
        .header_if("x-total-count-relation", relation))
}

/// `GET /v1/{collection}/{id}`: one record.
///
/// # Errors
/// An invalid id, or a record that does not exist.
pub async fn read<R: Collection>(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    let id: R::Id = request.id()?;
    let cached_at = request.cached_at.map(|seqs| seqs.places);
    let read = record::read(R::table(), id.into(), cached_at);
    let database = Database::new(&request.env)?;
    let Some((row, change_seq)) = database.row_if_changed(&read, cached_at).await? else {
        let seqs = ChangeSeqs::from_table(cached_at.unwrap_or_default());
        return Ok(Response::unchanged(seqs));
    };
    if row.value("body").is_null() {
        return Err(not_found::<R>(id).into());
    }
    let change_seqs = Some(ChangeSeqs::from_table(change_seq));
    let record = VersionedRecord::from_row(id.into(), &row);
    let tag = Tag::from_version(record.version);
    if request.preconditions()?.not_modified(Some(record.version)) {
        return Ok(Response::not_modified(&tag).with_change_seqs(change_seqs));
    }
    // The gateway joins the record with those of the other service, and saves it in snapshots.
    Ok(record
        .into_response()
        .with_change_seqs(change_seqs)
        .header(CHANGE_SEQ_HEADER, change_seq.to_string()))
}

/// `GET /v1/openapi.json`: the OpenAPI document of the service, which `make openapi` generates.
///
/// # Errors
/// A query parameter.
#[expect(clippy::unused_async, reason = "handlers are async")]
pub async fn document<R: Collection>(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    Ok(Response::json(R::OPENAPI.to_owned()))
}

/// `GET /readyz`: whether the database and the other service respond.
///
/// # Errors
/// A query parameter, or a problem that names the dependencies that do not respond.
pub async fn ready<R: Collection>(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    let (binding, name) = R::PEER;
    let checks = async {
        let (database, peer) = join(
            health::check_database(&request.env),
            health::check_alive(&request.env, binding, name),
        )
        .await;
        vec![database, peer]
    };
    health::ready(&request, checks).await
}
