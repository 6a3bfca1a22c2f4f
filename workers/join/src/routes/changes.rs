//! `GET /v1/changes`: sends the changes of both tables, as a page or as live events.

use std::rc::Rc;

use edge::change_stream::{self, Batch, Event, ReadChanges};
use edge::collection::{MORE_CHANGES_HEADER, changes_link};
use edge::{Body, Env, Error, Request, Response, now};
use futures_util::FutureExt;
use futures_util::future::try_join;
use http_semantics::media::{FEED_FORMATS, FeedFormat, ListFraming};
use http_semantics::{MediaType, Problem, Validator};
use tables::change_feed::PARAMETERS;

use crate::backends::{Backends, change_seq_header, header};
use crate::domain::MalformedResponse::{self, People, Places};
use crate::domain::changes::{self, ChangesQuery, EMPTY_FEED, FeedPage, Position};

/// The status of a backend's response to a cursor from before a restore.
const RESTARTED: u16 = 410;

/// The changes of both tables, oldest first or latest first. Oldest first, there is always a link to
/// the next page: later changes will be on it. A client that accepts events gets them live.
///
/// # Errors
/// An invalid query, a cursor from before a restore, or a backend that failed.
pub async fn changes(request: Request) -> Result<Response, Error> {
    let query = changes::parse_query(&request.params(PARAMETERS)?, now())?;
    let format = match request.format(FEED_FORMATS)? {
        FeedFormat::Page(format) => format,
        FeedFormat::EventStream => return event_stream(&request, query).await,
    };
    let page = read_page(&request.env, &query, format.framing(), false).await?;
    let (descending, has_more) = (query.descending, page.has_more);
    let next = page.next.cursor();
    let link = changes_link("/v1/changes", &request.query, descending, has_more, &next);
    Ok(Response::ok(format.content_type(), Body::Bytes(page.body))
        .header_if("link", link)
        .header_if(MORE_CHANGES_HEADER, has_more.then_some("true")))
}

/// The changes as events.
async fn event_stream(request: &Request, query: ChangesQuery) -> Result<Response, Error> {
    let query = query.map(|position| Some(position.into()));
    let query = query.ok_or_else(Problem::internal)?;
    let read: ReadChanges = Rc::new(|env, query| {
        async move {
            let query = query.map(Position::from_parts);
            let query = query.ok_or_else(Problem::internal)?;
            let page = read_page(&env, &query, MediaType::NdJson.framing(), true).await?;
            let body = String::from_utf8_lossy(&page.body);
            let events: Option<Vec<Event>> = body.lines().map(Event::parse).collect();
            let mut events = events.ok_or_else(Problem::internal)?;
            // A change of a place is not one of a person.
            events.retain(|event| query.person.is_none() || event.collection == 1);
            Ok(Batch {
                events,
                next: page.next.into(),
                has_more: page.has_more,
            })
        }
        .boxed_local()
    });
    let is_of_person = query.person.is_some();
    let of_cursor = |cursor: &_| Position::in_stream(cursor, is_of_person).map(Into::into);
    change_stream::respond(request, query, of_cursor, read).await
}

/// A page of both feeds.
struct Page {
    body: Vec<u8>,
    /// The position of the next page.
    next: Position,
    has_more: bool,
}

async fn read_page(
    env: &Env,
    query: &ChangesQuery,
    framing: ListFraming,
    is_stream: bool,
) -> Result<Page, Error> {
    let backends = Backends::new(env)?;
    let (places_path, people_path) = changes::paths(query, is_stream);
    let places = async {
        match &places_path {
            Some(path) => backends.places.get(path).await.map(Some),
            None => Ok(None),
        }
    };
    let (places, people) = try_join(places, backends.people.get(&people_path)).await?;
    let is_restarted = |response: &web_sys::Response| response.status() == RESTARTED;
    if places.as_ref().is_some_and(is_restarted) || is_restarted(&people) {
        return Err(Problem::history_restarted().into());
    }
    let places = places.map(|places| backends.places.require_ok(places));
    let places = places.transpose()?;
    let people = backends.people.require_ok(people)?;
    let malformed = |malformed| backends.malformed_response(malformed);
    let end = |response: &web_sys::Response, backend: MalformedResponse| {
        change_seq_header(response).ok_or_else(|| malformed(backend))
    };
    let places_end = places.as_ref().map(|places| end(places, Places));
    let places_end = places_end.transpose()?;
    let people_end = end(&people, People)?;
    let read_places = async {
        match &places {
            Some(places) => backends.places.bytes(places).await,
            None => Ok(Vec::new()),
        }
    };
    let bodies = try_join(read_places, backends.people.bytes(&people)).await?;
    let has_more = |response| header(response, MORE_CHANGES_HEADER).is_some();
    let places_page = match (&places, places_end) {
        (Some(places), Some(end)) => FeedPage {
            body: &bodies.0,
            next: end.number,
            has_more: has_more(places),
        },
        _ => EMPTY_FEED,
    };
    let people_page = FeedPage {
        body: &bodies.1,
        next: people_end.number,
        has_more: has_more(&people),
    };
    let merged = changes::merge(query, places_page, people_page, framing);
    let merged = merged.map_err(malformed)?;
    let [places_next, people_next] = merged.next;
    let next = Position {
        places: places_end.map(|end| Validator {
            number: places_next,
            ..end
        }),
        people: Validator {
            number: people_next,
            ..people_end
        },
    };
    Ok(Page {
        body: merged.body,
        next,
        has_more: merged.has_more,
    })
}
