//! Reads the statistics of places from both backends.

use edge::{Body, Error, Response};
use futures_util::future::try_join;
use http_semantics::MediaType;
use tables::population::PopulationQuery;
use tables::{Cursor, page};

use crate::backends::{Backends, PeoplePart, header, number_header};
use crate::domain::statistics::{self, Part, Row, StatisticsPageBuilder};

/// The most steps of a page. Each step calls both backends, and the platform limits the calls of
/// a request.
const MAX_STEPS: usize = 8;

/// A page of the API. `raw_query` is repeated in the link to the next page.
///
/// # Errors
/// A backend that failed.
pub async fn list(
    backends: &Backends,
    query: PopulationQuery,
    raw_query: &str,
    format: MediaType,
) -> Result<Response, Error> {
    let is_now = query.as_of.is_none();
    let page = StatisticsPageBuilder::new(query);
    let [places_path, people_path] = page.paths().unwrap_or_default();
    let paths = [places_path.as_str(), people_path.as_str()];
    let (places, people) = backends.fetch(paths, format, false).await?;
    let places = backends.places.require_ok(places)?;
    let PeoplePart {
        response,
        tag,
        change_seqs,
    } = people?;
    let StatisticsPage { rows, next, totals } = complete(backends, page, places, response).await?;
    let dead_without_place = next.is_none().then_some(totals.dead_without_place);
    let body = statistics::render(&rows, totals.living, dead_without_place, format);
    let path = "/v1/statistics/places";
    let next = next.map(|after| page::next_link(path, raw_query, &after.to_string()));
    Ok(Response::ok(format.content_type(), Body::Text(body))
        .with_change_seqs(change_seqs.filter(|_| is_now))
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
    /// The headers of a response of the people service.
    #[must_use]
    pub fn of_response(populations: &web_sys::Response) -> Self {
        Self {
            living: number_header(populations, "x-total-living"),
            dead: number_header(populations, "x-total-dead"),
            dead_without_place: number_header(populations, "x-total-nowhere"),
        }
    }
}

/// A page of statistics. The first failure of a backend ends it.
///
/// # Errors
/// A backend that failed.
pub async fn page(backends: &Backends, query: PopulationQuery) -> Result<StatisticsPage, Error> {
    let page = StatisticsPageBuilder::new(query);
    let paths = page.paths().unwrap_or_default();
    let (places, people) = get_both(backends, &paths).await?;
    complete(backends, page, places, people).await
}

async fn get_both(
    backends: &Backends,
    [places, people]: &[String; 2],
) -> Result<(web_sys::Response, web_sys::Response), Error> {
    try_join(
        backends.places.get_ok(places),
        backends.people.get_ok(people),
    )
    .await
}

/// Adds the first responses, and takes steps until the page is full or has taken all its steps.
async fn complete(
    backends: &Backends,
    mut page: StatisticsPageBuilder,
    places: web_sys::Response,
    people: web_sys::Response,
) -> Result<StatisticsPage, Error> {
    let totals = Totals::of_response(&people);
    add(backends, &mut page, places, people).await?;
    for _ in 1..MAX_STEPS {
        let Some(paths) = page.paths() else {
            break;
        };
        let (places, people) = get_both(backends, &paths).await?;
        add(backends, &mut page, places, people).await?;
    }
    let (rows, next) = page.into_page();
    Ok(StatisticsPage { rows, next, totals })
}

/// Reads the responses of a step, and the names that its populations need.
async fn add(
    backends: &Backends,
    page: &mut StatisticsPageBuilder,
    places: web_sys::Response,
    people: web_sys::Response,
) -> Result<(), Error> {
    let (place_bytes, people_bytes) = try_join(
        backends.places.bytes(&places),
        backends.people.bytes(&people),
    )
    .await?;
    let malformed = |malformed| backends.malformed_response(malformed);
    let populations = statistics::populations(&people_bytes).map_err(malformed)?;
    let populations = part(&people, populations);
    let places = match page.names(&populations.records) {
        None => part(
            &places,
            statistics::places(&place_bytes).map_err(malformed)?,
        ),
        Some(path) => {
            let names = backends.places.get_ok(&path).await?;
            let bytes = backends.places.bytes(&names).await?;
            part(&names, statistics::places(&bytes).map_err(malformed)?)
        }
    };
    page.add(places, populations);
    Ok(())
}

fn part<T>(response: &web_sys::Response, records: Vec<T>) -> Part<T> {
    let has_more = header(response, "link").is_some();
    Part { records, has_more }
}
