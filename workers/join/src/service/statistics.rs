//! Reads the statistics of places from both backends.

use edge::{Body, Calls, Error, Request, Response};
use http_semantics::media::TABLE_MEDIA_TYPES;
use http_semantics::negotiation::Negotiable;
use http_semantics::{MediaType, Tag};
use tables::population::PopulationQuery;
use tables::{ChangeSeqs, Cursor, page};

use crate::backends::{Backends, PeoplePart, change_seq, header, number_header, tag};
use crate::domain::statistics::{self, Part, Row, StatisticsPageBuilder};

/// The maximum number of steps of a page. Each step calls both backends, and the platform limits
/// the calls of a request.
const MAX_STEPS: usize = 8;

/// The calls of a step: a page of each backend, and the names of places.
const STEP: Calls = Calls::services(3);

/// A page of the API. The link to the next page repeats `raw_query`.
///
/// # Errors
/// A backend that failed.
pub async fn list(
    backends: &Backends,
    query: PopulationQuery,
    raw_query: &str,
    format: MediaType,
) -> Result<Response, Error> {
    let is_current = query.as_of.is_none();
    let builder = StatisticsPageBuilder::new(query);
    let paths = builder.paths().unwrap_or_default();
    let (places, people) = backends.fetch(&paths, format, false).await?;
    let places = backends.places.require_ok(places)?;
    let PeoplePart {
        response: people,
        tag,
        change_seqs,
    } = people?;
    let page = complete(backends, builder, places, people).await?;
    let StatisticsPage {
        rows, next, totals, ..
    } = page;
    let dead_without_place = next.is_none().then_some(totals.dead_without_place);
    let body = statistics::render(&rows, totals.living, dead_without_place, format);
    let path = "/v1/statistics/places";
    let next = next.map(|after| page::next_link(path, raw_query, &after.to_string()));
    Ok(Response::ok(format.content_type(), Body::Text(body))
        .with_change_seqs(change_seqs.filter(|_| is_current))
        .with_etag(&tag)
        .header_if("link", next))
}

/// A page of places with their populations, and the totals.
pub struct StatisticsPage {
    /// The places.
    pub rows: Vec<Row>,
    /// The cursor of the next page.
    pub next: Option<Cursor>,
    /// The totals.
    pub totals: Totals,
    /// The change sequences at which its first step was read.
    pub change_seqs: Option<ChangeSeqs>,
}

/// The number of all people.
#[derive(Clone, Copy)]
pub struct Totals {
    /// The living.
    pub living: i64,
    /// The dead.
    pub dead: i64,
    /// The dead without a place.
    pub dead_without_place: i64,
}

impl Totals {
    /// The totals in the headers of the people service's response.
    #[must_use]
    pub fn from_headers(populations: &web_sys::Response) -> Self {
        Self {
            living: number_header(populations, "x-total-living"),
            dead: number_header(populations, "x-total-dead"),
            dead_without_place: number_header(populations, "x-total-nowhere"),
        }
    }
}

/// A page of statistics.
///
/// # Errors
/// A backend that failed.
pub async fn load(backends: &Backends, query: PopulationQuery) -> Result<StatisticsPage, Error> {
    let builder = StatisticsPageBuilder::new(query);
    let paths = builder.paths().unwrap_or_default();
    let (places, people) = backends.get_both(&paths).await?;
    complete(backends, builder, places, people).await
}

/// Adds the responses of the first step, and takes more steps until the page is complete.
async fn complete(
    backends: &Backends,
    mut builder: StatisticsPageBuilder,
    mut places: web_sys::Response,
    mut people: web_sys::Response,
) -> Result<StatisticsPage, Error> {
    let totals = Totals::from_headers(&people);
    let change_seqs = change_seq(&places).zip(change_seq(&people));
    for step in 1..=MAX_STEPS {
        add_step(backends, &mut builder, places, people).await?;
        let may_continue = step < MAX_STEPS && backends.quota.has(STEP);
        match builder.paths().filter(|_| may_continue) {
            Some(paths) => (places, people) = backends.get_both(&paths).await?,
            None => break,
        }
    }
    let (rows, next) = builder.into_page();
    Ok(StatisticsPage {
        rows,
        next,
        totals,
        change_seqs: change_seqs.map(|(places, people)| ChangeSeqs { places, people }),
    })
}

/// Adds the responses of a step, and reads the names that its populations need.
async fn add_step(
    backends: &Backends,
    builder: &mut StatisticsPageBuilder,
    places: web_sys::Response,
    people: web_sys::Response,
) -> Result<(), Error> {
    let (place_bytes, people_bytes) = backends.bytes_of_both(&places, &people).await?;
    let malformed = |malformed| backends.malformed_response(malformed);
    let populations = statistics::populations(&people_bytes).map_err(malformed)?;
    let mut records = statistics::places(&place_bytes).map_err(malformed)?;
    let names_paths = builder.names_paths(&populations);
    if !names_paths.is_empty() {
        records.clear();
    }
    for path in names_paths {
        let response = backends.places.get_ok(&path).await?;
        let names = backends.places.bytes(&response).await?;
        records.extend(statistics::places(&names).map_err(malformed)?);
    }
    builder.add_step(part(&places, records), part(&people, populations));
    Ok(())
}

fn part<T>(response: &web_sys::Response, records: Vec<T>) -> Part<T> {
    let link = header(response, "link");
    let next = link.and_then(|link| page::next_cursor(&link));
    Part { records, next }
}

/// A series of the people service, in the format that the client accepts.
///
/// # Errors
/// An invalid `Accept` or `If-None-Match`, or a people service that failed.
pub async fn series(request: &Request, backends: &Backends, path: &str) -> Result<Response, Error> {
    let format = request.format(TABLE_MEDIA_TYPES)?;
    let known = request.known_change_seq(format)?;
    let known = known.map(|change_seq| Tag::from_change_seqs(format, &[change_seq]).to_string());
    let mut headers = vec![("accept", format.essence())];
    headers.extend(known.as_deref().map(|tag| ("if-none-match", tag)));
    let response = backends.people.send("GET", path, &headers, None).await?;
    let tag = tag(&response);
    if response.status() == 304
        && let Some(tag) = tag
    {
        return Ok(Response::not_modified(&tag));
    }
    let response = backends.people.require_ok(response)?;
    let body = Body::Bytes(backends.people.bytes(&response).await?);
    Ok(Response::ok(format.content_type(), body).header_if("etag", tag.map(|tag| tag.to_string())))
}
