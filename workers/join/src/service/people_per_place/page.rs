//! Reads the places of a page, and the first groups of people.
//!
//! | the query | calls |
//! |---|---|
//! | in order of id | both backends in parallel, each for a range of ids |
//! | a filter of places, or in order of name | places, then the groups of these places |
//! | `hasPeople` | in steps, places and their populations ([`PlaceSelector`]), then the groups |

use edge::Error;
use http_semantics::{MediaType, Problem, Tag, Validator};
use tables::page;

use super::stream::{GroupRequests, route, split};
use crate::backends::{Backends, Parts, PeoplePart, header, list_tags};
use crate::domain::{GROUPS, ListQuery, PlaceOrder, PlacePage, PlaceSelector, statistics};
use crate::service::cache::parts;
use crate::service::read_ahead::{self, ReadAhead};

/// The route of the people service with populations.
const POPULATIONS: &str = "/v1/people/population";

/// The maximum number of windows of places that a request reads for `hasPeople`.
const MAX_WINDOWS: usize = 6;

/// The places of a page, and the first groups of people.
pub struct PlacesWithGroups {
    /// The places.
    pub places: PlacePage,
    /// The order of the places and the groups.
    pub order: PlaceOrder,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// The number of places on all pages, if it was requested.
    pub total: Option<String>,
    /// `at-least`, if there may be more.
    pub total_relation: Option<String>,
    /// The response with the first groups.
    pub people: Result<PeoplePart, Error>,
    /// The requests for the other groups. None if no groups are needed.
    pub groups: Option<GroupRequests>,
}

/// Reads the places of a page and the first groups. None if nothing has changed since the change
/// sequences `known`, which a query with `hasPeople` does not check.
///
/// # Errors
/// A filter that the places service rejects, or a service that failed. A failure of the people
/// service is part of the result if the places do not depend on it.
pub async fn load(
    backends: &Backends,
    query: ListQuery,
    format: MediaType,
    is_head: bool,
    known: Option<[Validator; 2]>,
) -> Result<Option<PlacesWithGroups>, Error> {
    let tags = known.map(list_tags);
    let tags = tags.as_ref();
    match (query.has_people, query.order_by_id()) {
        (Some(has_people), _) => {
            let page = select(backends, query, has_people, format, is_head);
            page.await.map(Some)
        }
        (None, Some(order)) => in_range(backends, query, order, format, is_head, tags).await,
        (None, None) => listed(backends, query, format, is_head, tags).await,
    }
}

/// Both backends select by a range of ids.
async fn in_range(
    backends: &Backends,
    query: ListQuery,
    order: PlaceOrder,
    format: MediaType,
    is_head: bool,
    tags: Option<&[Tag; 2]>,
) -> Result<Option<PlacesWithGroups>, Error> {
    let places = query.places_path();
    let mut groups = GroupRequests::in_range(query, format);
    let people = if is_head { None } else { groups.first() };
    let people = people.unwrap_or_else(|| GROUPS.to_owned());
    let paths = [places, people];
    let parts = backends.fetch(&paths, tags, is_head).await?;
    let Parts::Read(response, people) = parts else {
        return Ok(None);
    };
    let response = backends.places.require_ok(response)?;
    let people = backends.people_part(&response, people, format, is_head);
    let [path, _] = &paths;
    let (places, next) = read_window(backends, path, &response).await?;
    Ok(Some(PlacesWithGroups {
        next,
        total: header(&response, "x-total-count"),
        total_relation: header(&response, "x-total-count-relation"),
        places,
        order,
        people,
        groups: Some(groups),
    }))
}

/// The page of places first, then the groups of its places. If this isolate has read the page before,
/// the groups of its former places are read together with it, and they are used if the page still has
/// the same places.
async fn listed(
    backends: &Backends,
    query: ListQuery,
    format: MediaType,
    is_head: bool,
    tags: Option<&[Tag; 2]>,
) -> Result<Option<PlacesWithGroups>, Error> {
    let mut paths = [query.places_path(), GROUPS.to_owned()];
    let former = parts::last_body(&paths[0]).and_then(|body| PlacePage::parse(body).ok());
    let expected = former.filter(|_| !is_head).and_then(|former| {
        let ids = split(former.ids().collect()).pop_front()?;
        Some(query.groups_of(ids).url(route(format)))
    });
    let has_expected = expected.is_some();
    // Otherwise the groups are not known, so only the change sequence of people is checked.
    paths[1] = expected.unwrap_or_else(|| GROUPS.to_owned());
    let (response, people) = if has_expected || tags.is_some() {
        match backends.fetch(&paths, tags, !has_expected).await? {
            Parts::Unchanged(_) => return Ok(None),
            Parts::Read(response, people) => (response, Some(people)),
        }
    } else {
        (backends.places.get(&paths[0]).await?, None)
    };
    let response = backends.require_places(response).await?;
    let (places, next) = read_window(backends, &paths[0], &response).await?;
    let mut groups = GroupRequests::of_places(query, format, places.ids().collect());
    let path = if is_head { None } else { groups.first() };
    let people = match (&path, people) {
        (Some(path), Some(people)) if *path == paths[1] => people,
        (Some(path), _) => backends.people.get(path).await,
        (None, _) => backends.people.head(GROUPS).await,
    };
    Ok(Some(PlacesWithGroups {
        next,
        total: header(&response, "x-total-count"),
        total_relation: header(&response, "x-total-count-relation"),
        places,
        order: PlaceOrder::AsListed,
        people: backends.people_part(&response, people, format, path.is_none()),
        groups: path.is_some().then_some(groups),
    }))
}

/// The places with people who match the filter, or those without. The validators are those of the
/// first responses: what changes later increases a change sequence, so that no later request matches
/// the tag.
async fn select(
    backends: &Backends,
    query: ListQuery,
    has_people: bool,
    format: MediaType,
    is_head: bool,
) -> Result<PlacesWithGroups, Error> {
    let mut selector = PlaceSelector::new(&query, has_people);
    let (mut first_places, mut first_people) = (None, None);
    // The populations of all places, if there are few.
    let mut all = None;
    for _ in 0..MAX_WINDOWS {
        let Some((size, after)) = selector.next_window() else {
            break;
        };
        let path = query.window_path(size, after);
        let (response, people) = if first_people.is_none() {
            let ahead = read_ahead::POPULATIONS.with(ReadAhead::size);
            let ahead = ahead.get().to_string();
            let paths = [path.clone(), [POPULATIONS, "?limit=", &ahead].concat()];
            match backends.fetch(&paths, None, false).await? {
                Parts::Read(response, people) => (response, Some(people)),
                Parts::Unchanged(_) => return Err(Problem::internal().into()),
            }
        } else {
            (backends.places.get(&path).await?, None)
        };
        let response = backends.require_places(response).await?;
        let (window, next) = read_window(backends, &path, &response).await?;
        if let Some(people) = people {
            let people = backends.people.require_ok(people?)?;
            let has_more = header(&people, "link").is_some();
            read_ahead::POPULATIONS.with(|populations| populations.remember(has_more));
            if !has_more {
                all = Some(populations(backends, &people).await?);
            }
            first_people = Some(people);
        }
        let unknown = selector.unknown_places(&window);
        if let Some(all) = &all {
            selector.add_populations(&unknown, all);
        } else {
            for places in split(unknown) {
                let ids: Vec<String> = places.iter().map(ToString::to_string).collect();
                let path = [POPULATIONS, "?limit=1000&ids=", &ids.join(",")].concat();
                let people = backends.people.get_ok(&path).await?;
                selector.add_populations(&places, &populations(backends, &people).await?);
            }
        }
        selector.add_window(window, next);
        first_places.get_or_insert(response);
    }
    let first = first_places.zip(first_people);
    let (first_places, first_people) = first.ok_or_else(Problem::internal)?;
    let part = backends.people_part(&first_places, Ok(first_people), format, false)?;
    let (places, next) = selector.into_page();
    // No bounded number of steps counts the places on other pages.
    let is_whole = next.is_none() && query.page.after.is_none();
    let total = query.page.count.then(|| places.len().to_string());
    let total_relation = (query.page.count && !is_whole).then(|| "at-least".to_owned());
    let mut groups = GroupRequests::of_places(query, format, places.ids().collect());
    let path = groups.first().filter(|_| has_people && !is_head);
    let people = match &path {
        Some(path) => {
            let response = backends.people.get_ok(path).await;
            response.map(|response| PeoplePart { response, ..part })
        }
        None => Ok(part),
    };
    Ok(PlacesWithGroups {
        places,
        order: PlaceOrder::AsListed,
        next,
        total,
        total_relation,
        people,
        groups: path.is_some().then_some(groups),
    })
}

/// The populations of a response.
async fn populations(
    backends: &Backends,
    response: &web_sys::Response,
) -> Result<Vec<statistics::Population>, Error> {
    let body = backends.people.bytes(response).await?;
    let populations = statistics::populations(&body);
    populations.map_err(|malformed| backends.malformed_response(malformed))
}

/// The places of a response, and the cursor of the next page, if there is one.
async fn read_window(
    backends: &Backends,
    path: &str,
    response: &web_sys::Response,
) -> Result<(PlacePage, Option<String>), Error> {
    let bytes = backends.places.bytes(response).await?;
    parts::store(path, response, &bytes);
    let places =
        PlacePage::parse(bytes).map_err(|malformed| backends.malformed_response(malformed))?;
    let Some(link) = header(response, "link") else {
        return Ok((places, None));
    };
    let malformed = || backends.places.unusable_response("a malformed link");
    let cursor = page::next_cursor(&link).ok_or_else(malformed)?;
    Ok((places, Some(cursor.to_string())))
}
