//! Operations that take several steps: the join, people with their places, the statistics, the
//! integrity report and its repair, and the cache of responses.

pub mod cache;
pub mod expanded_export;
pub mod expanded_people;
pub mod integrity;
pub mod people_per_place;
pub mod read_ahead;
pub mod statistics;

use edge::{Body, Error};
use futures_util::TryStreamExt;
use futures_util::stream::LocalBoxStream;
use http_semantics::MediaType;
use http_semantics::export_format::abort_marker;
use js_sys::Uint8Array;

/// A body that is sent while it is made. If a chunk fails, the body ends with an unfinished record
/// after `between`. The stream is boxed, so that the binary contains the code for one type.
fn stream_body(
    chunks: LocalBoxStream<'static, Result<Vec<u8>, Error>>,
    format: MediaType,
    between: &'static str,
) -> Body {
    let chunks = chunks.map_ok(|bytes| Uint8Array::from(bytes.as_slice()));
    Body::stream_with_error_end(chunks, move |problem| {
        [between, &abort_marker(format, problem)].concat()
    })
}
