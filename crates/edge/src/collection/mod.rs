//! The routes that every collection has. They are generic over a table ([`tables::schema`]), the
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
use tables::statement::Statement;
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
pub use write::{Change, Writer, Written, create, patch, put, read_current};

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

    /// Whether the response with one record has the change sequence in a header. The gateway needs
    /// it to join the record with those of the other service.
    const IS_JOINED: bool;
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
    let page = Database::new(&request.env)?.page(&statement).await?;
    page.into_response(format, &table.path(), &request.query, known)
}

/// The row of a [`tables::list::page`] statement: (body, cursor, total, `total_is_minimum`,
/// `change_seq`, epoch).
pub struct PageRow {
    row: Row,
    change_seq: Validator,
}

impl Database {
    /// Runs the statement of a page.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn page(&self, statement: &Statement) -> Result<PageRow, Error> {
        let row = self.row(statement).await?;
        let page = row.and_then(|row| {
            let change_seq = row.validator("change_seq")?;
            Some(PageRow { row, change_seq })
        });
        page.ok_or_else(|| Error::Platform {
            doing: "reading a page",
            reason: "no row, or no epoch".to_owned(),
        })
    }
}

impl PageRow {
    /// The response with the page: `ETag`, `Link` if there is a next page, and `X-Total-Count` if
    /// the client asked for the total. It is a 304 if the client has this page already.
    ///
    /// # Errors
    /// Too many matches.
    pub fn into_response(
        self,
        format: MediaType,
        path: &str,
        query: &str,
        known_change_seq: Option<Validator>,
    ) -> Result<Response, Error> {
        let Self { row, change_seq } = self;
        let tag = Tag::from_change_seqs(format, &[change_seq]);
        if known_change_seq == Some(change_seq) {
            return Ok(Response::not_modified(&tag));
        }
        let body = row.value("body");
        if body.is_null() {
            return Err(Problem::too_many_matches(MAX_MATCHES).into());
        }
        let next = row.text("cursor");
        let next = next.map(|cursor| page::next_link(path, query, &cursor));
        let total = row.integer("total").map(|total| total.to_string());
        let relation = row.boolean("total_is_minimum").then_some("at-least");
        Ok(Response::ok(format.content_type(), Body::Js(body))
            .with_change_seqs(Some(ChangeSeqs::from_table(change_seq)))
            .with_etag(&tag)
            .header_if("link", next)
            .header_if("x-total-count", total)
            .header_if("x-total-count-relation", relation))
    }
}

/// `GET /v1/{collection}/{id}`: one record.
///
/// # Errors
/// An invalid id, or a record that does not exist.
pub async fn read<R: Collection>(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    let id: R::Id = request.id()?;
    let read = record::read(R::table(), id.into());
    let row = Database::new(&request.env)?.row(&read).await?;
    let row = row.ok_or_else(|| not_found::<R>(id))?;
    let change_seq = row.validator("change_seq");
    let record = VersionedRecord::from_row(id.into(), &row);
    let tag = Tag::from_version(record.version);
    if request.preconditions()?.not_modified(Some(record.version)) {
        return Ok(Response::not_modified(&tag));
    }
    let header = change_seq
        .filter(|_| R::IS_JOINED)
        .map(|seq| seq.to_string());
    Ok(record
        .into_response()
        .with_change_seqs(change_seq.map(ChangeSeqs::from_table))
        .header_if(CHANGE_SEQ_HEADER, header))
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
