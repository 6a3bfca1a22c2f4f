//! Exports: all records of a table that match a query, read and sent in parts.

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use http_semantics::export_format::{EXPORT_MEDIA_TYPES, ExportFormat, abort_marker};
use http_semantics::{MediaType, Params, Problem};
use js_sys::Uint8Array;
use tables::list::export_part;
use tables::statement::MAX_TEXT_BYTES;
use tables::{ListQuery, Record, TableSpec};
use wasm_bindgen::JsValue;

use crate::collection::versioned_record::normalize;
use crate::d1::Database;
use crate::error::Error;
use crate::http::request::Request;
use crate::http::response::{Body, Response, encode_utf8};

/// The format: the query parameter `format`, or else `Accept`.
fn format(request: &Request, params: &Params) -> Result<MediaType, Problem> {
    match params.get("format")? {
        Some(ExportFormat(format)) => Ok(format),
        None => request.format(EXPORT_MEDIA_TYPES),
    }
}

/// `GET /v1/{collection}/export`: all records that match, in order of id. Each part is read after
/// the client has received the one before, so the worker has only one part in memory.
///
/// # Errors
/// An invalid query.
pub async fn export<R: Record>(request: Request) -> Result<Response, Error> {
    let table = R::table();
    let params = request.params(&table.export_parameters)?;
    let format = format(&request, &params)?;
    let query = ListQuery::from_params(table, &params, normalize)?;
    let database = Database::new(&request.env)?;
    let name = table.declaration.collection;
    let disposition = format!("attachment; filename=\"{name}.{}\"", format.name());
    let mut parts = Box::pin(parts(database, table, query, format));
    // The first part is read before the response starts, so that the headers have its bookmark.
    let first = if request.is_head() {
        None
    } else {
        parts.try_next().await?.map(Ok)
    };
    let parts = stream::iter(first).chain(parts);
    let body = Body::stream_with_error_end(parts, move |problem| abort_marker(format, problem));
    Ok(Response::ok(format.content_type(), body).header("content-disposition", disposition))
}

/// The maximum number of records per part. A part is one query, whose round trip costs more than its
/// rows.
const MAX_RECORDS: i64 = 10_000;

/// The maximum number of records per part if they are so long that D1 cannot return [`MAX_RECORDS`]
/// of them as one text.
fn max_long_records(table: &TableSpec) -> i64 {
    i64::try_from(MAX_TEXT_BYTES).unwrap_or_default() / table.max_record_bytes()
}

fn parts(
    database: Database,
    table: &'static TableSpec,
    query: ListQuery,
    format: MediaType,
) -> impl Stream<Item = Result<Uint8Array, Error>> {
    let state = (database, query, Some(0));
    stream::try_unfold(state, move |(database, query, after)| async move {
        let Some(after) = after else { return Ok(None) };
        let part = |limit| export_part(table, query.conditions(), format, after, limit);
        let (row, limit) = match database.row(&part(MAX_RECORDS)).await {
            Err(error) if error.is_result_too_large() => {
                let limit = max_long_records(table);
                (database.row(&part(limit)).await?, limit)
            }
            row => (row?, MAX_RECORDS),
        };
        let column = |name| row.as_ref().and_then(|row| row.integer(name));
        let records = column("records");
        if after > 0 && records == Some(0) {
            return Ok(None);
        }
        let next = column("last_id").filter(|_| records == Some(limit));
        let text = row.as_ref().map_or(JsValue::NULL, |row| row.value("body"));
        Ok(Some((encode_utf8(&text), (database, query, next))))
    })
}
