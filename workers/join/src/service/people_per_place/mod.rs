//! Joins places with their people ([`MergeJoin`]).
//!
//! The gateway first reads the whole page of places ([`page`]). Then it joins the groups of people
//! as they arrive ([`stream`]). It sends a page of at most [`BUFFER_BYTES`](stream) when the page
//! is complete. It streams a longer page. If the stream fails, the status has already been sent, so
//! the body breaks off.
//!
//! | what fails | result |
//! |---|---|
//! | the places | a problem: without places there is nothing to show |
//! | the people, before the response starts | the places with `"people":null` ([`partial`]) |
//! | the same in CSV, or if the people select the places | a problem |
//! | the people, while the page is streamed | a body that breaks off |
//!
//! In all cases but the last, the layer for stale-if-error sends a stale response instead, if there
//! is one.

mod page;
mod stream;

use domain::PlaceId;
use edge::{Body, Error, Response};
use futures_util::future::join;
use http_semantics::{MediaType, Problem, Tag, Validator};
use tables::page::next_link;

use crate::backends::{Backends, Parts, PeoplePart, list_is_unchanged};
use crate::domain::{ListQuery, MalformedResponse, MergeJoin, ReadQuery};
use crate::service::cache::parts;

use page::PlacesWithGroups;
use stream::{GroupRequests, MergeJoinStream};

pub use stream::split;

/// A page of places with their people. The link to the next page repeats `raw_query`. `known` are the
/// change sequences of the page that the client or the cache has.
///
/// # Errors
/// A filter that the places service rejects, a problem of a service, or a bug of ours.
pub async fn list(
    backends: Backends,
    query: ListQuery,
    raw_query: &str,
    format: MediaType,
    is_head: bool,
    known: Option<[Validator; 2]>,
) -> Result<Response, Error> {
    let loaded = page::load(&backends, query, format, is_head, known).await?;
    let PlacesWithGroups {
        places,
        order,
        next,
        total,
        total_relation,
        people,
        groups,
    } = match (loaded, known) {
        (Some(loaded), _) => loaded,
        (None, Some(known)) => return Ok(list_is_unchanged(format, known)),
        (None, None) => return Err(Problem::internal().into()),
    };
    let has_only_inhabited = groups.as_ref().is_some_and(GroupRequests::is_inhabited);
    let join = MergeJoin::new(places, order, format)
        .map_err(|malformed| backends.malformed_response(malformed))?;
    let join = if has_only_inhabited {
        join.without_empty_places()
    } else {
        join
    };
    let media_type = format.content_type();
    let response = match people {
        Err(error) => partial(error, join, media_type)?,
        Ok(people) if is_head => people.respond(media_type, Body::Empty),
        Ok(people) => {
            let PeoplePart { response, .. } = &people;
            let stream = MergeJoinStream::new(join, backends, groups, response);
            match stream.into_body(format).await {
                Ok(body) => people.respond(media_type, body),
                Err((error, join)) => partial(error, join, media_type)?,
            }
        }
    };
    let next = next.map(|after| next_link("/v1/people-per-place", raw_query, &after));
    Ok(response
        .header_if("link", next)
        .header_if("x-total-count", total)
        .header_if("x-total-count-relation", total_relation))
}

/// One place with its people. `known` are the validators in the client's tag: the version of the
/// place, and the change sequence of people.
///
/// # Errors
/// A place that does not exist, or a problem of the places service.
pub async fn read(
    backends: &Backends,
    id: PlaceId,
    query: &ReadQuery,
    known: Option<[Validator; 2]>,
) -> Result<Response, Error> {
    let paths = [format!("/v1/places/{id}"), query.group_path(id)];
    let tags = known.map(|[version, change_seq]| {
        [
            Tag::from_version(version),
            Tag::from_change_seqs(MediaType::Json, &[change_seq]),
        ]
    });
    let (place, people) = match backends.fetch(&paths, tags.as_ref(), false).await? {
        Parts::Read(place, people) => (place, people),
        Parts::Unchanged(change_seqs) => {
            let tag = Tag::from_change_seqs(MediaType::Json, &known.unwrap_or_default());
            return Ok(Response::not_modified(&tag).with_change_seqs(change_seqs));
        }
    };
    if place.status() == 404 {
        return Err(Problem::not_found("place", id.get()).into());
    }
    let response = backends.places.require_ok(place)?;
    let people = backends.people_part(&response, people, MediaType::Json, false);
    let group = async {
        let people = people?;
        let group = backends.people.bytes(&people.response).await?;
        Ok::<_, Error>((group, people))
    };
    let (place, group) = join(backends.places.bytes(&response), group).await;
    let malformed = |malformed| backends.malformed_response(malformed);
    let [place_path, people_path] = &paths;
    let place = place?;
    parts::store(place_path, &response, &place);
    let mut join = MergeJoin::from_place(place).map_err(malformed)?;
    let media_type = MediaType::Json.content_type();
    let response = group.and_then(|(group, people)| {
        parts::store(people_path, &people.response, &group);
        let body = join_group(&mut join, &group).map_err(malformed)?;
        Ok(people.respond(media_type, Body::Bytes(body)))
    });
    response.or_else(|error| partial(error, join, media_type))
}

/// Joins a single place with its group.
fn join_group(join: &mut MergeJoin, group: &[u8]) -> Result<Vec<u8>, MalformedResponse> {
    let mut out = Vec::new();
    join.push(group, &mut out)?;
    join.end_groups(1, &mut out)?;
    join.finish(&mut out);
    Ok(out)
}

/// The places with `"people":null`, if the people service failed. No cache may store them.
///
/// # Errors
/// Any other error, or a format that cannot show that the people are unknown.
fn partial(error: Error, join: MergeJoin, media_type: &str) -> Result<Response, Error> {
    let Error::Problem(problem) = error else {
        return Err(error);
    };
    let failed_people = problem.service() == Some("people");
    match join.places_only().filter(|_| failed_people) {
        Some(places) => Ok(Response::ok(media_type, Body::Bytes(places))
            .header("cache-control", "no-store")
            .partial(problem)),
        None => Err(problem.into()),
    }
}
