//! An export of people with their places (`expand=place`). It reads the lines of the people service
//! in parts, and adds the places of each part.

use edge::{Body, BodyReader, Calls, Error, Request, Response};
use futures_util::{StreamExt, stream};
use http_semantics::MediaType;
use http_semantics::export_format::end_line;
use tables::{Cursor, page};

use super::expanded_people::{read_names, request_people};
use super::people_per_place::split;
use super::stream_body;
use crate::backends::{Backends, header};
use crate::domain::expanded_export::{ExportPart, LineBuffer};
use crate::domain::expansion::Names;

const PATH: &str = "/v1/people/export";

/// The maximum number of names in memory.
const MAX_NAMES: usize = 10_000;

/// An export in progress.
struct Export {
    backends: Backends,
    format: MediaType,
    /// The client's query, for the address of the rest.
    raw_query: String,
    people: BodyReader,
    lines: LineBuffer,
    /// The names of places that have been read.
    names: Names,
    /// The person after which the rest begins.
    last_id: i64,
    has_ended: bool,
}

/// All people that match, with their places. `query` is the query for the people service.
///
/// # Errors
/// A query that the people service rejects, or a service that failed before the response started.
pub async fn export(
    mut backends: Backends,
    request: &Request,
    query: &str,
    format: MediaType,
    after: Option<Cursor>,
) -> Result<Response, Error> {
    let path = format!("{PATH}?{query}");
    let response = request_people(&backends, &path, format, request.is_head()).await?;
    let body = if request.is_head() {
        Body::Empty
    } else {
        let mut people = backends.people.body_reader(&response);
        // The client decides how fast it reads.
        people.drop_deadline();
        backends.drop_deadline();
        let export = Export {
            backends,
            format,
            raw_query: request.query.clone(),
            people,
            lines: LineBuffer::default(),
            names: Names::new(),
            last_id: after.map_or(0, |after| after.id()),
            has_ended: false,
        };
        export.into_body().await?
    };
    Ok(Response::ok(format.content_type(), body).header_if(
        "content-disposition",
        header(&response, "content-disposition"),
    ))
}

impl Export {
    /// The first part is read before the response starts, so that a failure still has a status.
    async fn into_body(mut self) -> Result<Body, Error> {
        let format = self.format;
        let first = self.next().await?.map(Ok);
        let rest = stream::try_unfold(self, |mut export| async move {
            Ok(export.next().await?.map(|lines| (lines, export)))
        });
        let chunks = stream::iter(first).chain(rest);
        Ok(stream_body(chunks.boxed_local(), format, ""))
    }

    /// The next lines. None after the last one.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if self.has_ended {
            return Ok(None);
        }
        while !self.lines.is_full()
            && let Some(chunk) = self.people.next().await?
        {
            self.lines.push(&chunk);
        }
        let lines = self.lines.take_lines();
        let part = ExportPart::parse(&lines, self.format);
        let part = part.map_err(|malformed| self.backends.malformed_response(malformed))?;
        if self.names.len() > MAX_NAMES {
            self.names.clear();
        }
        let mut unknown = part.places();
        unknown.retain(|place| !self.names.contains_key(place));
        let unknown = split(unknown);
        let calls = u32::try_from(unknown.len()).unwrap_or(u32::MAX);
        if !self.backends.quota.has(Calls::services(calls)) {
            return Ok(Some(self.end(false).into_bytes()));
        }
        let (names, _) = read_names(&self.backends, unknown).await?;
        self.names.extend(names);
        self.last_id = part.last_id().unwrap_or(self.last_id);
        let mut text = part.with_places(&self.names);
        if let Some(is_complete) = part.is_complete() {
            text += &self.end(is_complete);
        }
        Ok(Some(text.into_bytes()))
    }

    /// Ends the export with its last line.
    fn end(&mut self, is_complete: bool) -> String {
        self.has_ended = true;
        let after = Cursor::Id(self.last_id).to_string();
        let next = page::next_address(PATH, &self.raw_query, "after", &after);
        end_line(self.format, (!is_complete).then_some(next.as_str()))
    }
}
