//! `GET /v1/people/by-place`
//!
//! One statement answers a usual page. A longer one is a stream that runs the next
//! statement when the reader has taken what the last one gave, so that an isolate never
//! holds more than one statement's people.

use edge::{Body, Database, Error, Request, Response, Row};
use std::future::ready;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use http_semantics::Tag;
use http_semantics::media::{LIST_MEDIA_TYPES, ListFraming};
use js_sys::{Array, JsString};
use tables::change_log;
use tables::page::PageSize;
use tables::schema::PERSON;

use crate::domain::{ByPlace, Range};
use crate::store;

/// People grouped by place, over a page of places or for one.
///
/// # Errors
/// A query that cannot be used.
pub async fn by_place(request: Request) -> Result<Response, Error> {
    let ask = ByPlace::read(&request.params(ByPlace::PARAMETERS)?)?;
    let format = request.format(LIST_MEDIA_TYPES)?;
    let frame = format.framing();
    let seen = request.known_change_seq(format)?;
    let database = Database::new(&request.env)?;
    if request.is_head() {
        let row = database.row(&change_log::change_seq(&PERSON)).await?;
        let counter = row
            .and_then(|row| row.integer("change_seq"))
            .unwrap_or_default();
        let tag = Tag::from_change_seqs(format, &[counter]);
        return Ok(if seen == Some(counter) {
            Response::not_modified(&tag)
        } else {
            Response::ok(format.content_type(), Body::Empty).with_etag(&tag)
        });
    }
    let mut first = Part::of(&database, ask, frame, seen).await?;
    // A body of several statements may hold changes made in between; then the counter has
    // moved, and the tag will never be confirmed.
    let tag = Tag::from_change_seqs(format, &[first.counter]);
    if seen == Some(first.counter) {
        return Ok(Response::not_modified(&tag));
    }
    let body = match first.rest.take() {
        None => Body::Js(first.text(frame.open, frame.end(first.is_empty)).into()),
        Some(rest) => {
            let start = first.text(frame.open, frame.between);
            let rest = parts(database, frame, rest);
            let start = stream::once(ready(Ok(to_bytes(start))));
            Body::stream(start.chain(rest.map_ok(to_bytes)), frame)
        }
    };
    Ok(Response::ok(format.content_type(), body).with_etag(&tag))
}

/// What one statement answered, and what is left to ask.
struct Part {
    texts: Array,
    is_empty: bool,
    rest: Option<ByPlace>,
    /// The register's change counter.
    counter: i64,
}

impl Part {
    async fn of(
        database: &Database,
        ask: ByPlace,
        frame: ListFraming,
        seen: Option<i64>,
    ) -> Result<Self, Error> {
        let mut rows = database.rows(&store::by_place(&ask, frame, seen)).await?;
        let counter = rows.first().and_then(|row| row.integer("change_seq"));
        rows.retain(|row| row.integer("place_id").is_some());
        let rest = rows.last().and_then(|row| after(row, &ask));
        let texts: Array = rows.iter().map(|row| row.value("text")).collect();
        Ok(Self {
            is_empty: rows.is_empty(),
            texts,
            rest,
            counter: counter.unwrap_or_default(),
        })
    }

    fn text(&self, before: &str, behind: &str) -> JsString {
        self.texts.unshift(&JsString::from(before));
        self.texts.push(&JsString::from(behind));
        self.texts.join("")
    }
}

/// The parts behind the first, each asked for when the one before it has been taken.
fn parts(
    database: Database,
    frame: ListFraming,
    rest: ByPlace,
) -> impl Stream<Item = Result<JsString, Error>> {
    stream::try_unfold((database, Some(rest)), move |(database, rest)| async move {
        let Some(ask) = rest else { return Ok(None) };
        let part = Part::of(&database, ask, frame, None).await?;
        let behind = if part.rest.is_some() {
            frame.between
        } else {
            frame.end(false)
        };
        Ok(Some((part.text("", behind), (database, part.rest))))
    })
}

fn to_bytes(text: JsString) -> Vec<u8> {
    String::from(text).into_bytes()
}

/// What a statement's last row leaves to ask.
fn after(last: &Row, ask: &ByPlace) -> Option<ByPlace> {
    let limit = PageSize::new(last.integer("remaining")?)?;
    let range = Range {
        after: last.integer("place_id")?,
        ..ask.range
    };
    Some(ByPlace {
        range,
        limit,
        people: ask.people,
    })
}
