//! `GET /v1/changes`

use edge::collection::{MORE_CHANGES_HEADER, changes_link};
use edge::{Body, Error, Request, Response, now};
use futures_util::future::try_join;
use http_semantics::media::LIST_MEDIA_TYPES;
use http_semantics::{Problem, Validator};
use tables::change_feed::PARAMETERS;

use crate::backends::{Backends, change_seq_header, header};
use crate::domain::MalformedResponse::{self, People, Places};
use crate::domain::changes::{self, EMPTY_FEED, FeedPage, Position};

/// The status of a backend's response to a cursor from before a restore.
const RESTARTED: u16 = 410;

/// The changes of both tables, oldest first or latest first. Oldest first, there is always a link to
/// the next page: later changes will be on it.
///
/// # Errors
/// An invalid query, a cursor from before a restore, or a backend that failed.
pub async fn changes(request: Request) -> Result<Response, Error> {
    let query = changes::parse_query(&request.params(PARAMETERS)?, now())?;
    let format = request.format(LIST_MEDIA_TYPES)?;
    let backends = Backends::new(&request.env)?;
    let (places_path, people_path) = changes::paths(&query);
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
    let merged = changes::merge(&query, places_page, people_page, format.framing());
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
    let (descending, has_more) = (query.descending, merged.has_more);
    let next = next.cursor();
    let link = changes_link("/v1/changes", &request.query, descending, has_more, &next);
    Ok(
        Response::ok(format.content_type(), Body::Bytes(merged.body))
            .header_if("link", link)
            .header_if(MORE_CHANGES_HEADER, has_more.then_some("true")),
    )
}
