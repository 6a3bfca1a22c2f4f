//! Joins places with their people.
//!
//! Both backends are read in parallel, with one D1 round trip each, and the responses are joined
//! as the groups arrive. A page of at most [`BUFFER_BYTES`] has a length, and a failure becomes a
//! problem. A longer page is streamed. If the people service fails before the response starts,
//! the places are shown without people.

use domain::PlaceId;
use edge::{Body, Error, Response};
use futures_util::future::join;
use futures_util::{StreamExt, stream};
use http_semantics::media::ListFraming;
use http_semantics::{MediaType, Problem, Tag};
use tables::Cursor;
use tables::page::{self, PeopleLimit};

use super::merge_join_stream::MergeJoinStream;
use crate::backends::Backends;
use crate::domain::{ListQuery, Malformed, MergeJoin};

/// The bytes of a page that are buffered before its response starts.
const BUFFER_BYTES: usize = 256 * 1024;

/// A page of places with their people. `raw_query` is repeated in the link to the next page.
///
/// # Errors
/// A problem of the places service, or of the people service for anything but a failure.
pub async fn list(
    backends: Backends,
    query: ListQuery,
    raw_query: &str,
    format: MediaType,
    is_head: bool,
) -> Result<Response, Error> {
    let (places_path, groups_path) = (query.places_path(), query.groups_path(query.after));
    let paths = [places_path.as_str(), groups_path.as_str()];
    let (places, people) = backends.fetch(paths, format, is_head).await?;
    let places = backends.places.require_ok(places)?;
    let headers = places.headers();
    let page = backends.places.bytes(&places).await?;

    let header = |name| headers.get(name).ok().flatten();
    let join = MergeJoin::of_page(page, format.framing());
    let join = join.map_err(|malformed| backends.malformed_response(malformed))?;
    let next = header("link").and_then(|_| join.last_place()).map(|id| {
        let after = Cursor::Id(id).to_string();
        page::next_link("/v1/people-per-place", raw_query, &after)
    });
    let described = |response: Response| {
        let count = header("x-total-count");
        response
            .header_if("link", next)
            .header_if("x-total-count", count)
    };
    let (media_type, frame) = (format.content_type(), format.framing());
    let people = match people {
        Ok(people) => people,
        Err(error) => return partial(error, join, media_type).map(described),
    };
    let mut join = MergeJoinStream::new(query, join, backends, &people.response);
    let body = if is_head {
        Body::Empty
    } else {
        match buffer(&mut join).await {
            Ok(Buffered::Complete(page)) => Body::Bytes(page),
            Ok(Buffered::Start(start)) => stream_rest(start, join, frame),
            Err(error) => return partial(error, join.into_join(), media_type).map(described),
        }
    };
    let response = Response::ok(media_type, body).with_change_seqs(people.change_seqs);
    Ok(described(response.with_etag(&people.tag)))
}

/// The part of a page that is buffered before its response starts.
enum Buffered {
    Complete(Vec<u8>),
    Start(Vec<u8>),
}

async fn buffer(join: &mut MergeJoinStream) -> Result<Buffered, Error> {
    let mut buffer = Vec::new();
    while buffer.len() < BUFFER_BYTES {
        match join.next().await? {
            Some(bytes) => buffer.extend_from_slice(&bytes),
            None => return Ok(Buffered::Complete(buffer)),
        }
    }
    Ok(Buffered::Start(buffer))
}

fn stream_rest(start: Vec<u8>, mut join: MergeJoinStream, frame: ListFraming) -> Body {
    join.drop_deadline();
    let rest = stream::try_unfold(join, |mut join| async move {
        Ok(join.next().await?.map(|bytes| (bytes, join)))
    });
    Body::stream(stream::once(async { Ok(start) }).chain(rest), frame)
}

/// One place with its people. `known` is what the client's tag is made of.
///
/// # Errors
/// A place that does not exist, or a problem of the places service.
pub async fn read(
    backends: &Backends,
    id: PlaceId,
    limit: PeopleLimit,
    known: Option<[i64; 2]>,
) -> Result<Response, Error> {
    let limit = limit.get();
    let place_path = format!("/v1/places/{id}");
    let group_path = format!("/v1/people/by-place?placeId={id}&peopleLimit={limit}");
    let paths = [place_path.as_str(), group_path.as_str()];
    let (place, people) = match known {
        None => backends.fetch(paths, MediaType::Json, false).await?,
        Some(known) => {
            let [version, change_seq] = known;
            let tags = [
                Tag::from_version(version),
                Tag::from_change_seqs(MediaType::Json, &[change_seq]),
            ];
            let Some(fetched) = backends.fetch_if_changed(paths, &tags).await? else {
                return Ok(Response::not_modified(&Tag::from_change_seqs(
                    MediaType::Json,
                    &known,
                )));
            };
            fetched
        }
    };
    if place.status() == 404 {
        return Err(Problem::not_found("place", id.get()).into());
    }
    let place = backends.places.require_ok(place)?;
    let place = backends.places.bytes(&place);
    let group = async {
        let people = people?;
        let group = backends.people.bytes(&people.response).await?;
        Ok::<_, Error>((group, people))
    };
    let (place, group) = join(place, group).await;
    let place = place?;
    let response = group.and_then(|(group, people)| {
        let body = joined(place.clone(), &group)
            .map_err(|malformed| backends.malformed_response(malformed))?;
        Ok(Response::record(Body::Bytes(body), &people.tag).with_change_seqs(people.change_seqs))
    });
    response.or_else(|error| {
        let place = MergeJoin::of_one(place, ListFraming::NONE);
        partial(error, place, MediaType::Json.content_type())
    })
}

fn joined(place: Vec<u8>, group: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut out = Vec::with_capacity(place.len() + group.len());
    let mut join = MergeJoin::of_one(place, ListFraming::NONE);
    join.push(group, &mut out)?;
    join.end_groups(1, &mut out)?;
    join.finish(&mut out)?;
    Ok(out)
}

/// The response if the people service has failed: the places, with `"people":null`. It must not
/// be stored.
fn partial(error: Error, join: MergeJoin, media_type: &str) -> Result<Response, Error> {
    let problem = match error {
        Error::Problem(problem) if problem.service() == Some("people") => problem,
        other => return Err(other),
    };
    match join.places_only() {
        Ok(body) => Ok(Response::ok(media_type, Body::Bytes(body))
            .header("cache-control", "no-store")
            .partial(problem)),
        Err(Malformed::Places | Malformed::Groups) => Err(Problem::service_failed("places").into()),
    }
}
