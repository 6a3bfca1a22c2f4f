//! `GET /`: sends the overview page to browsers, and the dataset to clients with
//! `Accept: application/json`.

mod fallback;

use domain::Param;
use edge::{Error, NORMALIZE, Request, Response};
use futures_util::future::{join4, try_join};
use http_semantics::auth::Scope;
use http_semantics::negotiation::Negotiable;
use http_semantics::{MediaType, Validator, path};
use pages::Notice;
use pages::api::{King, PlaceView, Population};
use pages::chart::Point;
use pages::list::{Neighbours, Total};
use pages::overview::{Counts, Overview, OverviewQuery, Row, Totals};
use tables::page::{PageSize, Sort, SortKey};
use tables::population::{Measure, Order, PopulationQuery};
use tables::{ChangeSeqs, Cursor};

use fallback::OverviewData;

use super::reads::{Unparsed, parse_body, read_list, total};
use super::saved::Complete;
use super::{check_request, flash, html};
use crate::access;
use crate::backends::{Backends, change_seq};
use crate::domain::statistics::{self, NamedPlace, StatisticsQuery, StatisticsSort};
use crate::routes::dataset;
use crate::service::statistics as service;

/// The media types of the root.
#[derive(Clone, Copy)]
enum Root {
    Page,
    Dataset,
}

impl Negotiable for Root {
    fn essence(self) -> &'static str {
        match self {
            Self::Page => "text/html",
            Self::Dataset => MediaType::Json.essence(),
        }
    }
}

/// The overview or the dataset, by `Accept`. `/v1` is always the dataset. Errors of the dataset and
/// of `Accept` are problems, not pages.
///
/// # Errors
/// A worker without its bindings.
pub async fn overview(request: Request) -> Result<Response, Error> {
    let root = match path::path_and_query(&request.parts.url).0 {
        "/" => request.format(&[Root::Page, Root::Dataset]),
        _ => Ok(Root::Dataset),
    };
    match root {
        Ok(Root::Page) => {
            if let Some(response) = check_request(&request) {
                return Ok(response);
            }
        }
        Ok(Root::Dataset) => {
            if let Err(error) = access::guard(&request, Scope::Read) {
                return Ok(Response::from(error));
            }
            return Ok(dataset(request).await.unwrap_or_else(Response::from));
        }
        Err(problem) => return Ok(Response::problem(&problem)),
    }
    let backends = Backends::new(&request.env)?;
    let mut query = parse(&request.query);
    let requested_at = edge::now();
    let reads = Reads::load(&backends, &query).await;
    if let Some(complete) = reads.complete()
        && query.period.as_of.is_none()
    {
        complete.save::<OverviewData>(&request, &query.list.to_text(), requested_at);
    }
    let mut notices = flash(&request.query, "the place", String::new());
    let Reads {
        places,
        ranking,
        largest,
        series,
    } = reads;
    let series = series.ok();
    let series = series.and_then(|series| series.parse(&backends.people).ok());
    let shown = match ranking {
        Ok(ranking) => Shown {
            series,
            ..Shown::new(&query, places.ok(), ranking, largest.ok().flatten())
        },
        Err(error) => {
            let saved = fallback::load_saved(&request, &query).await;
            if let Some((saved, is_of_query)) = saved {
                let mut notice = saved.notice(vec![error], "The counts are");
                if !is_of_query {
                    query = parse("");
                    let order = query.order_label();
                    notice.push_str(" They are in the order “");
                    notice.push_str(order);
                    notice.push_str("”, because this view is not saved.");
                }
                notices.push(Notice::Warning(notice));
                saved.data.into_shown(&query)
            } else {
                Shown {
                    series,
                    ..fallback::partial(&backends, &query, places.ok(), &mut notices).await
                }
            }
        }
    };
    let page = Overview {
        query,
        totals: shown.totals,
        rows: shown.rows,
        max_population: shown.max_population,
        neighbours: shown.neighbours,
        series: shown.series,
        notices,
    };
    Ok(html(200, page.to_html()))
}

fn parse(query: &str) -> OverviewQuery {
    OverviewQuery::parse(query, edge::now(), NORMALIZE)
}

/// The data of the page with a query, for the scheduled refresh of its snapshot. None if a backend
/// failed.
pub async fn data(backends: &Backends, query: &str) -> Option<Response> {
    let reads = Reads::load(backends, &parse(query)).await;
    reads.complete()?.into_response::<OverviewData>()
}

/// The query of the first page.
#[must_use]
pub fn first_query() -> String {
    parse("").list.to_text()
}

/// The shown data.
#[derive(Default)]
struct Shown {
    totals: Totals,
    rows: Option<Vec<Row>>,
    neighbours: Neighbours,
    max_population: i64,
    series: Option<Vec<Point>>,
}

impl Shown {
    fn new(
        query: &OverviewQuery,
        places: Option<PlaceCount>,
        ranking: Ranking,
        largest: Option<i64>,
    ) -> Self {
        let Ranking {
            rows, next, totals, ..
        } = ranking;
        let rows: Vec<Row> = rows.into_iter().map(row).collect();
        let counts = rows.iter().filter_map(|row| row.counts.as_ref());
        let largest_shown = counts.map(|counts| counts.living + counts.dead).max();
        let total = places.as_ref().and_then(|places| places.of_search);
        let mut shown = Self {
            max_population: largest
                .or(totals.largest)
                .or(largest_shown)
                .unwrap_or_default(),
            ..Self::default()
        };
        shown.set_rows(query, rows, next, total);
        shown.totals.places = places.map(|places| places.all);
        add_people(&mut shown.totals, totals);
        shown
    }

    /// Sets the rows, from the list and the cursor of the API. Rows that were read in the reverse
    /// order are turned.
    fn set_rows(
        &mut self,
        query: &OverviewQuery,
        mut rows: Vec<Row>,
        next: Option<String>,
        total: Option<Total>,
    ) {
        if query.list.is_before {
            rows.reverse();
        }
        let ends = [rows.first(), rows.last()].map(|row| cursor(sort(query), row?));
        self.neighbours = query.list.neighbours(next, ends, total);
        self.rows = Some(rows);
    }
}

/// The order in which the page is read.
fn sort(query: &OverviewQuery) -> StatisticsSort {
    StatisticsSort::parse(&query.list.api_sort()).unwrap_or_default()
}

/// The cursor of a row in an order.
fn cursor(sort: StatisticsSort, row: &Row) -> Option<Cursor> {
    let place = NamedPlace {
        id: row.id,
        name: row.name.clone()?,
    };
    let key = match sort {
        StatisticsSort::Name { .. } => SortKey::Name,
        StatisticsSort::Population(order) => match order.measure() {
            None => SortKey::Id,
            Some(measure) => {
                let counts = row.counts.as_ref()?;
                let number = measure.of(counts.living, counts.dead);
                return Some(Cursor::Population(measure, number, row.id));
            }
        },
    };
    let sort = Sort {
        key,
        descending: false,
    };
    Some(StatisticsQuery::cursor_after(&place, sort, NORMALIZE))
}

/// The number of places, and the change sequence at which they were counted.
struct PlaceCount {
    all: i64,
    /// The number of places that match the query, if it is known.
    of_search: Option<Total>,
    change_seq: Option<Validator>,
}

/// The results of the reads that the page is made of.
struct Reads {
    places: Result<PlaceCount, Error>,
    ranking: Result<Ranking, Error>,
    largest: Result<Option<i64>, Error>,
    series: Result<Unparsed, Error>,
}

impl Reads {
    async fn load(backends: &Backends, query: &OverviewQuery) -> Self {
        let series_path = query.period.series_path(None);
        let (places, ranking, largest, series) = join4(
            number_of_places(backends, query),
            ranking(backends, query),
            largest_population(backends, query),
            Unparsed::load_list(&backends.people, &series_path),
        )
        .await;
        Self {
            places,
            ranking,
            largest,
            series,
        }
    }

    /// The data of the page, if it is complete.
    fn complete(&self) -> Option<Complete<impl FnOnce() -> String>> {
        let (Ok(places), Ok(ranking), Ok(_), Ok(series)) =
            (&self.places, &self.ranking, &self.largest, &self.series)
        else {
            return None;
        };
        let change_seqs = ranking.change_seqs.zip(places.change_seq);
        let change_seqs = change_seqs.and_then(|(seqs, places)| seqs.with_places_at(places));
        Some(Complete {
            change_seqs,
            render: move || fallback::data(places, ranking, &series.text()),
        })
    }
}

/// A page of places with the number of their people.
struct Ranking {
    rows: Vec<statistics::Row>,
    next: Option<String>,
    totals: service::Totals,
    change_seqs: Option<ChangeSeqs>,
}

fn add_people(totals: &mut Totals, people: service::Totals) {
    totals.living = Some(people.living);
    totals.dead = Some(people.dead);
    totals.dead_without_place = Some(people.dead_without_place);
}

/// The populations at a path, and the totals.
async fn read_populations(
    backends: &Backends,
    path: &str,
) -> Result<(Vec<Population>, service::Totals), Error> {
    let people = &backends.people;
    let response = people.get_ok(path).await?;
    let populations = parse_body(people, &people.bytes(&response).await?)?;
    Ok((populations, service::Totals::from_headers(&response)))
}

async fn ranking(backends: &Backends, query: &OverviewQuery) -> Result<Ranking, Error> {
    let sort = sort(query);
    // A cursor of another order is ignored, because the reader has changed the order.
    let after = query.list.cursor.clone();
    let statistics = StatisticsQuery {
        limit: query.list.limit(),
        after: after.filter(|after| sort.accepts(after)),
        sort,
        least: query.least,
        as_of: query.period.as_of.clone(),
        search: query.list.search().map(ToOwned::to_owned),
    };
    let page = service::load(backends, &statistics).await?;
    Ok(Ranking {
        rows: page.rows,
        next: page.next.map(|next| next.to_string()),
        totals: page.totals,
        change_seqs: page.change_seqs,
    })
}

/// A page of places without their people, in the order of the query or else by id.
async fn places_page(
    backends: &Backends,
    query: &OverviewQuery,
) -> Result<(Vec<PlaceView>, Option<String>), Error> {
    let list = &query.list;
    let sort = list.api_sort();
    let statistics = StatisticsQuery {
        as_of: query.period.as_of.clone(),
        search: list.search().map(ToOwned::to_owned),
        ..StatisticsQuery::default()
    };
    let cursor = list.cursor_text();
    let mut parameters = vec![];
    if Sort::parse(&sort).is_some() {
        parameters.push(("sort", sort.as_str()));
        if !cursor.is_empty() {
            parameters.push(("after", &cursor));
        }
    }
    let path = statistics.places_path(list.limit(), &parameters);
    read_list(&backends.places, &path).await
}

fn row(row: statistics::Row) -> Row {
    Row {
        id: row.place.id,
        name: Some(row.place.name),
        counts: Some(row.population.map(counts).unwrap_or_default()),
    }
}

fn counts(population: statistics::Population) -> Counts {
    Counts {
        living: population.living,
        dead: population.dead,
        king: population
            .king
            .and_then(statistics::King::present)
            .map(|(id, name)| King { id, name }),
    }
}

async fn number_of_places(backends: &Backends, query: &OverviewQuery) -> Result<PlaceCount, Error> {
    let path = "/v1/places?limit=1&count=exact";
    let is_counted = query.least.is_none() && query.period.as_of.is_none();
    let (response, of_search) = match query.list.search().filter(|_| is_counted) {
        None => {
            let response = backends.places.get_ok(path).await?;
            let of_search = total(&response).filter(|_| is_counted);
            (response, of_search)
        }
        Some(search) => {
            let mut params = form_urlencoded::Serializer::new(path.to_owned());
            let path_of_search = params.append_pair("q", search).finish();
            let of_search = backends.places.get_ok(&path_of_search);
            let (response, of_search) = try_join(backends.places.get_ok(path), of_search).await?;
            (response, total(&of_search))
        }
    };
    let all = total(&response);
    Ok(PlaceCount {
        all: all.map_or(0, |total| total.count),
        of_search,
        change_seq: change_seq(&response),
    })
}

/// The largest population of all places as of a time. It has the longest bar. The totals have the
/// present one.
async fn largest_population(
    backends: &Backends,
    query: &OverviewQuery,
) -> Result<Option<i64>, Error> {
    let Some(as_of) = &query.period.as_of else {
        return Ok(None);
    };
    let largest = PopulationQuery {
        limit: PageSize::new(1).unwrap_or_default(),
        order: Order::Down(Measure::Total),
        as_of: Some(as_of.clone()),
        ..PopulationQuery::default()
    };
    let (populations, _) = read_list::<Population>(&backends.people, &largest.path()).await?;
    let largest = populations.first();
    Ok(largest.map(|population| population.living + population.dead))
}
