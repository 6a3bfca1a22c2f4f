//! People with the place that they belong to (`expand=place`): the people first, then their places.
//!
//! There is no partial response: if a service fails, so does the request. The validators are those of
//! both responses, as in the join.

use std::collections::BTreeSet;

use domain::PersonId;
use edge::{Body, Error, Request, Response};
use http_semantics::{MediaType, Tag, Validator};
use tables::page::{next_cursor, next_link};

use crate::backends::{Backends, change_seq, header, validator};
use crate::domain::expansion::{Names, PeoplePage, names};
use crate::domain::statistics;
use crate::service::people_per_place::split;

/// A page of people with their places. `query` is the query for the people service, and the link to
/// the next page repeats that of the request.
///
/// # Errors
/// A query that the people service rejects, or a service that failed.
pub async fn list(
    backends: &Backends,
    request: &Request,
    query: &str,
    format: MediaType,
) -> Result<Response, Error> {
    let path = format!("/v1/people?{query}");
    // The gateway makes NDJSON from the array, because the end of NDJSON cannot be recognized.
    let accept = match format {
        MediaType::Csv => "text/csv",
        MediaType::Json | MediaType::NdJson => "application/json",
    };
    let people = &backends.people;
    let response = if request.is_head() {
        people.head(&path).await?
    } else {
        people
            .send("GET", &path, &[("accept", accept)], None)
            .await?
    };
    let response = backends.require_people(response).await?;
    let (body, places_seq) = if request.is_head() {
        (Body::Empty, places_change_seq(backends).await?)
    } else {
        let bytes = people.bytes(&response).await?;
        let page = PeoplePage::parse(&bytes, format)
            .map_err(|malformed| backends.malformed_response(malformed))?;
        let (names, places_seq) = read_names(backends, &page.places()).await?;
        (Body::Text(page.with_places(&names)), places_seq)
    };
    let people_seq = validator(&response).unwrap_or_default();
    let tag = Tag::from_change_seqs(format, &[places_seq, people_seq]);
    if request.preconditions()?.if_none_match_has(&tag) {
        return Ok(Response::not_modified(&tag));
    }
    let next = header(&response, "link").and_then(|link| next_cursor(&link));
    let next = next.map(|after| next_link("/v1/people", &request.query, &after.to_string()));
    Ok(Response::ok(format.content_type(), body)
        .with_etag(&tag)
        .header_if("link", next)
        .header_if("x-total-count", header(&response, "x-total-count"))
        .header_if(
            "x-total-count-relation",
            header(&response, "x-total-count-relation"),
        ))
}

/// A person with the place.
///
/// # Errors
/// A person that does not exist, or a service that failed.
pub async fn read(backends: &Backends, request: &Request, id: PersonId) -> Result<Response, Error> {
    let response = backends.people.get(&format!("/v1/people/{id}")).await?;
    let response = backends.require_people(response).await?;
    let bytes = backends.people.bytes(&response).await?;
    let person = PeoplePage::from_person(&bytes)
        .map_err(|malformed| backends.malformed_response(malformed))?;
    let (names, places_seq) = read_names(backends, &person.places()).await?;
    let version = validator(&response).unwrap_or_default();
    let tag = Tag::from_change_seqs(MediaType::Json, &[version, places_seq]);
    if request.preconditions()?.if_none_match_has(&tag) {
        return Ok(Response::not_modified(&tag));
    }
    let body = Body::Text(person.person(&names));
    Ok(Response::ok(MediaType::Json.content_type(), body).with_etag(&tag))
}

/// The names of places, and the change sequence at which they were read.
async fn read_names(
    backends: &Backends,
    places: &BTreeSet<i64>,
) -> Result<(Names, Validator), Error> {
    let mut found = Vec::new();
    let mut first_seq = None;
    for ids in split(places.iter().copied()) {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let path = format!("/v1/places?limit=1000&ids={}", ids.join(","));
        let response = backends.places.get_ok(&path).await?;
        let body = backends.places.bytes(&response).await?;
        let page = statistics::places(&body);
        found.extend(page.map_err(|malformed| backends.malformed_response(malformed))?);
        first_seq = first_seq.or(validator(&response));
    }
    let seq = match first_seq {
        Some(seq) => seq,
        None => places_change_seq(backends).await?,
    };
    Ok((names(found), seq))
}

/// The change sequence of places.
async fn places_change_seq(backends: &Backends) -> Result<Validator, Error> {
    let response = backends.places.get("/internal/counter").await?;
    let unusable = || backends.places.unusable_response("no change sequence");
    change_seq(&response).ok_or_else(unusable)
}
