//! People with the place that each belongs to (`expand=place`). The gateway reads the people first,
//! and then their places.
//!
//! There is no partial response: if either service fails, the request fails. As in the join, the
//! entity tag contains the validators of both responses.

use std::collections::VecDeque;

use domain::PersonId;
use edge::{Body, Error, Request, Response, ServiceClient};
use http_semantics::negotiation::Negotiable;
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
        MediaType::Csv => MediaType::Csv,
        MediaType::Json | MediaType::NdJson => MediaType::Json,
    };
    let response = request_people(backends, &path, accept, request.is_head()).await?;
    let people = &backends.people;
    let (body, places_seq) = if request.is_head() {
        (Body::Empty, places_change_seq(backends).await?)
    } else {
        let bytes = people.bytes(&response).await?;
        let page = PeoplePage::parse(&bytes, format)
            .map_err(|malformed| backends.malformed_response(malformed))?;
        let (names, places_seq) = read_names_and_seq(backends, page.places()).await?;
        (Body::Text(page.with_places(&names)), places_seq)
    };
    let people_seq = require_validator(people, &response)?;
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
    let (names, places_seq) = read_names_and_seq(backends, person.places()).await?;
    let version = require_validator(&backends.people, &response)?;
    let tag = Tag::from_change_seqs(MediaType::Json, &[version, places_seq]);
    if request.preconditions()?.if_none_match_has(&tag) {
        return Ok(Response::not_modified(&tag));
    }
    let body = Body::Text(person.person(&names));
    Ok(Response::ok(MediaType::Json.content_type(), body).with_etag(&tag))
}

/// Requests people with the status 200.
///
/// # Errors
/// A query that the people service rejects, or a service that failed.
pub async fn request_people(
    backends: &Backends,
    path: &str,
    accept: MediaType,
    is_head: bool,
) -> Result<web_sys::Response, Error> {
    let accept = [("accept", accept.essence())];
    if is_head {
        let response = backends.people.send("HEAD", path, &accept, None).await?;
        if response.status() == 200 {
            return Ok(response);
        }
        // Only the response to GET has the problem.
    }
    let response = backends.people.send("GET", path, &accept, None).await?;
    backends.require_people(response).await
}

/// Reads the names of places, one list per request. The result has the change sequence at which the
/// first ones were read.
///
/// # Errors
/// A places service that failed.
pub async fn read_names(
    backends: &Backends,
    lists: VecDeque<Vec<i64>>,
) -> Result<(Names, Option<Validator>), Error> {
    let mut found = Vec::new();
    let mut first_seq = None;
    for ids in lists {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let path = format!("/v1/places?limit=1000&ids={}", ids.join(","));
        let response = backends.places.get_ok(&path).await?;
        let body = backends.places.bytes(&response).await?;
        let page = statistics::places(&body);
        found.extend(page.map_err(|malformed| backends.malformed_response(malformed))?);
        if first_seq.is_none() {
            first_seq = Some(require_validator(&backends.places, &response)?);
        }
    }
    Ok((names(found), first_seq))
}

/// The names of places, and the change sequence of places at that time.
async fn read_names_and_seq(
    backends: &Backends,
    places: Vec<i64>,
) -> Result<(Names, Validator), Error> {
    let (names, seq) = read_names(backends, split(places)).await?;
    let seq = match seq {
        Some(seq) => seq,
        None => places_change_seq(backends).await?,
    };
    Ok((names, seq))
}

/// The change sequence of places.
async fn places_change_seq(backends: &Backends) -> Result<Validator, Error> {
    let response = backends.places.get("/internal/counter").await?;
    let unusable = || backends.places.unusable_response("no change sequence");
    change_seq(&response).ok_or_else(unusable)
}

/// The validator in the tag of a response.
fn require_validator(
    service: &ServiceClient,
    response: &web_sys::Response,
) -> Result<Validator, Error> {
    let unusable = || service.unusable_response("a response without a tag");
    validator(response).ok_or_else(unusable)
}
