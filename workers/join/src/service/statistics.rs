//! Reads the statistics of places from both backends.

use edge::{Body, Error, Response};
use http_semantics::MediaType;
use tables::population::PopulationQuery;
use tables::{Cursor, page};

use crate::backends::{Backends, PeoplePart, header, number_header};
use crate::domain::statistics::{self, Part, Row, StatisticsPageBuilder};

/// The maximum number of steps of a page. Each step calls both backends, and the platform limits
/// the calls of a request.
const MAX_STEPS: usize = 8;

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
    let StatisticsPage { rows, next, totals } = page;
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
    for step in 1..=MAX_STEPS {
        add_step(backends, &mut builder, places, people).await?;
        match builder.paths().filter(|_| step < MAX_STEPS) {
            Some(paths) => (places, people) = backends.get_both(&paths).await?,
            None => break,
        }
    }
    let (rows, next) = builder.into_page();
    Ok(StatisticsPage { rows, next, totals })
}

/// Adds the responses of a step, and reads the names that its populations need.
async fn add_step(
    backends: &Backends,
    builder: &mut StatisticsPageBuilder,
    mut places: web_sys::Response,
    people: web_sys::Response,
) -> Result<(), Error> {
    let (mut place_bytes, people_bytes) = backends.bytes_of_both(&places, &people).await?;
    let malformed = |malformed| backends.malformed_response(malformed);
    let populations = statistics::populations(&people_bytes).map_err(malformed)?;
    if let Some(path) = builder.names_path(&populations) {
        places = backends.places.get_ok(&path).await?;
        place_bytes = backends.places.bytes(&places).await?;
    }
    let records = statistics::places(&place_bytes).map_err(malformed)?;
    builder.add_step(part(&places, records), part(&people, populations));
    Ok(())
}

fn part<T>(response: &web_sys::Response, records: Vec<T>) -> Part<T> {
    let link = header(response, "link");
    let next = link.and_then(|link| page::next_cursor(&link));
    Part { records, next }
}
