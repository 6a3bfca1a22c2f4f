//! Exports all records of a table that match a query. An export is read and sent in parts.

use domain::Param;
use futures_util::{StreamExt, TryStreamExt, stream};
use http_semantics::export_format::{
    EXPECTED_FORMAT, EXPORT_MEDIA_TYPES, abort_marker, end_line, parse_format,
};
use http_semantics::{MediaType, Params, Problem};
use js_sys::Uint8Array;
use tables::list::export_part;
use tables::statement::MAX_TEXT_BYTES;
use tables::{Cursor, ListQuery, Record, TableSpec, page};
use wasm_bindgen::JsValue;

use crate::collection::versioned_record::NORMALIZE;
use crate::d1::Database;
use crate::env::call_quota::Calls;
use crate::error::Error;
use crate::http::request::Request;
use crate::http::response::{Body, Response, encode_utf8};

/// The format of an export: the query parameter `format`, or else `Accept`.
///
/// # Errors
/// An unknown format, or an `Accept` without a known one.
pub fn export_format(request: &Request, params: &Params) -> Result<MediaType, Problem> {
    match params.parse_value("format", EXPECTED_FORMAT, parse_format)? {
        Some(format) => Ok(format),
        None => request.format(EXPORT_MEDIA_TYPES),
    }
}

/// `GET /v1/{collection}/export`: all records that match, in order of id. Each part is read after
/// the client has received the one before, so the worker has only one part in memory.
///
/// The last line says whether the export is complete. If the invocation may make no more calls, it
/// has the address of the rest, which begins after the last record and has no header.
///
/// # Errors
/// An invalid query.
pub async fn export<R: Record>(request: Request) -> Result<Response, Error> {
    let table = R::table();
    let params = request.params(&table.export_parameters)?;
    let format = export_format(&request, &params)?;
    let query = ListQuery::from_params(table, &params, NORMALIZE)?;
    let after = match query.page.after {
        None => 0,
        Some(Cursor::Id(id)) => id,
        Some(_) => return Err(Problem::invalid_parameter("after", Cursor::EXPECTED).into()),
    };
    let export = Export {
        database: Database::new(&request.env)?,
        table,
        query,
        format,
        raw_query: request.query.clone(),
    };
    let name = table.declaration.collection;
    let disposition = format!("attachment; filename=\"{name}.{}\"", format.name());
    let chunks = stream::try_unfold((export, Step::Part(after)), |(export, step)| async move {
        let chunk = export.next(step).await?;
        Ok(chunk.map(|(chunk, step)| (chunk, (export, step))))
    });
    let mut chunks = Box::pin(chunks);
    // The first part is read before the response starts, so that the headers have its bookmark.
    let first = if request.is_head() {
        None
    } else {
        chunks.try_next().await?.map(Ok)
    };
    let chunks = stream::iter(first).chain(chunks);
    let body = Body::stream_with_error_end(chunks, move |problem| abort_marker(format, problem));
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

/// The calls of a part: a second query if the records are long.
const PART: Calls = Calls::round_trips(2, 1);

/// An export in progress.
struct Export {
    database: Database,
    table: &'static TableSpec,
    query: ListQuery,
    format: MediaType,
    /// The client's query, for the address of the rest.
    raw_query: String,
}

/// The next step of an export.
enum Step {
    /// Reads the records after an id.
    Part(i64),
    /// Sends the last line of a complete export.
    LastLine,
    /// Stops.
    Stop,
}

impl Export {
    /// The next chunk, and the step after it.
    async fn next(&self, step: Step) -> Result<Option<(Uint8Array, Step)>, Error> {
        match step {
            Step::Part(after) if self.database.quota().has(PART) => {
                let (text, last) = self.part(after).await?;
                let chunk = encode_utf8(&text);
                if chunk.length() == 0 {
                    return Ok(Some((self.last_line(None), Step::Stop)));
                }
                Ok(Some((chunk, last.map_or(Step::LastLine, Step::Part))))
            }
            Step::Part(after) => Ok(Some((self.last_line(Some(after)), Step::Stop))),
            Step::LastLine => Ok(Some((self.last_line(None), Step::Stop))),
            Step::Stop => Ok(None),
        }
    }

    /// The records after an id, and the last id if there may be more.
    async fn part(&self, after: i64) -> Result<(JsValue, Option<i64>), Error> {
        let part = |limit| export_part(self.table, &self.query, self.format, after, limit);
        let (row, limit) = match self.database.row(&part(MAX_RECORDS)).await {
            Err(error) if error.is_result_too_large() => {
                let limit = max_long_records(self.table);
                (self.database.row(&part(limit)).await?, limit)
            }
            row => (row?, MAX_RECORDS),
        };
        let row = row.ok_or_else(Problem::internal)?;
        let is_full = row.integer("records") == Some(limit);
        let last = row.integer("last_id").filter(|_| is_full);
        Ok((row.value("body"), last))
    }

    fn last_line(&self, after: Option<i64>) -> Uint8Array {
        let next = after.map(|after| {
            let path = format!("{}/export", self.table.path());
            let after = Cursor::Id(after).to_string();
            page::next_address(&path, &self.raw_query, "after", &after)
        });
        end_line(self.format, next.as_deref()).as_bytes().into()
    }
}
