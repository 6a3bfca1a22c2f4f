//! Exports the statistics of all places that match, in order of id.

use edge::{Body, Error, Response};
use futures_util::{StreamExt, TryStreamExt, stream};
use http_semantics::MediaType;
use http_semantics::export_format::{abort_marker, end_line};
use js_sys::Uint8Array;
use tables::page::{self, PageSize};

use super::{STEP, load};
use crate::backends::Backends;
use crate::domain::statistics::{COLUMNS, StatisticsQuery, render};

/// All places that match, with their populations. Each page is read after the client has received
/// the one before, so the worker has only one page in memory. The last line says whether the export
/// is complete, as in the other exports.
///
/// # Errors
/// A backend that failed before the response starts.
pub async fn export(
    backends: Backends,
    query: StatisticsQuery,
    raw_query: &str,
    format: MediaType,
    is_head: bool,
) -> Result<Response, Error> {
    let as_of = query.as_of.as_ref();
    let name = as_of.map_or_else(
        || "statistics".to_owned(),
        |time| format!("statistics-{time}").replace(':', "-"),
    );
    let export = Export {
        backends,
        query: StatisticsQuery {
            limit: PageSize::MAX,
            ..query
        },
        raw_query: raw_query.to_owned(),
        format,
    };
    let chunks = stream::try_unfold(Some(export), |export| async move {
        match export {
            Some(export) => export.next().await.map(Some),
            None => Ok(None),
        }
    });
    let mut chunks = Box::pin(chunks);
    // The first page is read before the response starts, so that a failure is an error response.
    let first = if is_head {
        None
    } else {
        chunks.try_next().await?.map(Ok)
    };
    let chunks = stream::iter(first).chain(chunks);
    let body = Body::stream_with_error_end(chunks, move |problem| abort_marker(format, problem));
    let disposition = format!("attachment; filename=\"{name}.{}\"", format.name());
    Ok(Response::ok(format.content_type(), body).header("content-disposition", disposition))
}

/// An export in progress.
struct Export {
    backends: Backends,
    query: StatisticsQuery,
    /// The client's query, for the address of the rest.
    raw_query: String,
    format: MediaType,
}

impl Export {
    /// The next chunk, and the rest of the export, if there is more.
    async fn next(mut self) -> Result<(Uint8Array, Option<Self>), Error> {
        let format = self.format;
        let mut text = String::new();
        while text.is_empty() {
            if let Some(after) = self.query.after.as_ref().map(ToString::to_string)
                && !self.backends.quota.has(STEP)
            {
                let path = "/v1/statistics/export";
                let next = page::next_address(path, &self.raw_query, "after", &after);
                text.push_str(&end_line(format, Some(&next)));
                return Ok((text.as_bytes().into(), None));
            }
            // Only the first part has the header.
            let frame = if self.query.after.is_none() {
                format.framing_with_header(COLUMNS)
            } else {
                format.framing()
            };
            let page = load(&self.backends, &self.query).await?;
            // The client decides how fast it reads.
            self.backends.drop_deadline();
            let dead = page.dead_without_place(&self.query);
            text.push_str(&render(&page.rows, page.totals.living, dead, format, frame));
            if page.next.is_none() {
                text.push_str(&end_line(format, None));
                return Ok((text.as_bytes().into(), None));
            }
            self.query.after = page.next;
        }
        Ok((text.as_bytes().into(), Some(self)))
    }
}
