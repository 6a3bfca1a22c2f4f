//! `GET /v1/people/by-place` sends people grouped by place. `GET /internal/people-lines` sends the
//! same groups to the gateway, which makes CSV of them.
//!
//! One statement reads a page of usual size. A larger page is a stream with one statement per
//! chunk. The next statement runs after the client has read the previous chunk, so the isolate has
//! only one chunk in memory.

use std::future::ready;

use edge::collection::list_unchanged;
use edge::{Body, Database, Error, Request, Response, Row};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use http_semantics::media::{LIST_MEDIA_TYPES, ListFraming};
use http_semantics::{MediaType, Problem, Tag, Validator};
use js_sys::{Array, JsString};
use tables::by_place::{ByPlaceQuery, LINE_FRAMING, PlaceSelection};
use tables::change_log;
use tables::page::PageSize;
use tables::schema::PERSON;

use crate::store::{self, GroupFormat};

/// People grouped by place, for a page of places or one place.
///
/// # Errors
/// An invalid query.
pub async fn by_place(request: Request) -> Result<Response, Error> {
    let query = ByPlaceQuery::from_params(&request.params(ByPlaceQuery::PARAMETERS)?)?;
    let format = request.format(LIST_MEDIA_TYPES)?;
    let known = request.known_change_seq(format)?;
    let database = Database::new(&request.env)?;
    if request.is_head() {
        return head(&database, format, known).await;
    }
    let rendering = (GroupFormat::Json, format.framing());
    let Some(first) = Chunk::read(&database, query, rendering, known).await? else {
        return Ok(list_unchanged(format, known));
    };
    // A later chunk can contain changes made after the first one was read. They increase the change
    // sequence, so no later request can match this tag.
    let tag = Tag::from_change_seqs(format, &[first.change_seq]);
    let body = first.into_body(database, rendering);
    Ok(Response::ok(format.content_type(), body).with_etag(&tag))
}

/// The same as lines of CSV that begin with the id of the place, for the gateway only. The last line
/// is a dot, which shows that the response is complete.
///
/// # Errors
/// An invalid query.
pub async fn people_lines(request: Request) -> Result<Response, Error> {
    let query = ByPlaceQuery::from_params(&request.params(ByPlaceQuery::PARAMETERS)?)?;
    let known = request.known_change_seq(MediaType::Json)?;
    let database = Database::new(&request.env)?;
    let rendering = (GroupFormat::CsvLines, LINE_FRAMING);
    let Some(first) = Chunk::read(&database, query, rendering, known).await? else {
        return Ok(list_unchanged(MediaType::Json, known));
    };
    let tag = Tag::from_change_seqs(MediaType::Json, &[first.change_seq]);
    let body = first.into_body(database, rendering);
    Ok(Response::ok("text/plain; charset=utf-8", body).with_etag(&tag))
}

/// The representation of the groups.
type Rendering = (GroupFormat, ListFraming);

/// The response to HEAD, which needs no groups.
async fn head(
    database: &Database,
    format: MediaType,
    known: Option<Validator>,
) -> Result<Response, Error> {
    let row = database.row(&change_log::change_seq(&PERSON)).await?;
    let change_seq = row.and_then(|row| row.validator("change_seq"));
    let change_seq = change_seq.ok_or_else(Problem::internal)?;
    let tag = Tag::from_change_seqs(format, &[change_seq]);
    Ok(if known == Some(change_seq) {
        Response::not_modified(&tag)
    } else {
        Response::ok(format.content_type(), Body::Empty).with_etag(&tag)
    })
}

/// The groups that one statement returned.
struct Chunk {
    groups: Array,
    is_empty: bool,
    /// The query for the remaining groups, if there are any.
    rest: Option<ByPlaceQuery>,
    /// The change sequence of the table.
    change_seq: Validator,
}

impl Chunk {
    /// Reads the groups. None if nothing has changed since the known change sequence.
    async fn read(
        database: &Database,
        query: ByPlaceQuery,
        (format, framing): Rendering,
        known_change_seq: Option<Validator>,
    ) -> Result<Option<Self>, Error> {
        let statement = store::by_place(&query, format, framing, known_change_seq);
        let mut rows = database.rows(&statement).await?;
        if rows.is_empty() && known_change_seq.is_some() {
            return Ok(None);
        }
        let change_seq = rows.first().and_then(|row| row.validator("change_seq"));
        // Without groups there is one row, which only has the change sequence.
        rows.retain(|row| row.integer("place_id").is_some());
        Ok(Some(Self {
            groups: rows.iter().map(|row| row.value("text")).collect(),
            is_empty: rows.is_empty(),
            rest: rows.last().and_then(|last| rest(query, last)),
            change_seq: change_seq.ok_or_else(Problem::internal)?,
        }))
    }

    /// The body that begins with this chunk.
    fn into_body(mut self, database: Database, rendering: Rendering) -> Body {
        let (_, framing) = rendering;
        match self.rest.take() {
            None => Body::Js(self.text(framing.open, framing.end(self.is_empty)).into()),
            Some(rest) => {
                let first = self.text(framing.open, framing.between);
                let first = stream::once(ready(Ok(first)));
                let chunks = first.chain(chunks(database, rendering, rest));
                Body::stream(chunks.map_ok(to_bytes), framing)
            }
        }
    }

    /// The text of the groups, with a text before and after them.
    fn text(&self, before: &str, after: &str) -> JsString {
        self.groups.unshift(&JsString::from(before));
        self.groups.push(&JsString::from(after));
        self.groups.join("")
    }
}

/// The chunks after the first one. Each is read when the client has read the one before.
fn chunks(
    database: Database,
    rendering: Rendering,
    rest: ByPlaceQuery,
) -> impl Stream<Item = Result<JsString, Error>> {
    stream::try_unfold((database, Some(rest)), move |(database, rest)| async move {
        let Some(query) = rest else { return Ok(None) };
        let chunk = Chunk::read(&database, query, rendering, None).await?;
        let chunk = chunk.ok_or_else(Problem::internal)?;
        let (_, framing) = rendering;
        let end = match chunk.rest {
            Some(_) => framing.between,
            None => framing.end(false),
        };
        Ok(Some((chunk.text("", end), (database, chunk.rest))))
    })
}

fn to_bytes(text: JsString) -> Vec<u8> {
    String::from(text).into_bytes()
}

/// The query for the groups after the last row of a chunk, if there are any.
fn rest(query: ByPlaceQuery, last: &Row) -> Option<ByPlaceQuery> {
    let limit = PageSize::new(last.integer("remaining")?)?;
    let last = last.integer("place_id")?;
    let places = match query.places {
        PlaceSelection::After { descending, .. } => PlaceSelection::After {
            place: Some(last),
            descending,
        },
        PlaceSelection::Listed(mut ids) => {
            let read = ids.iter().position(|id| *id == last)? + 1;
            ids.drain(..read);
            PlaceSelection::Listed(ids)
        }
    };
    Some(ByPlaceQuery {
        places,
        limit,
        ..query
    })
}
