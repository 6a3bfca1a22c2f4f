//! `GET /`: the overview for browsers, the dataset for `Accept: application/json`.

mod fallback;

use edge::{Error, Request, Response, auth};
use futures_util::future::join3;
use http_semantics::auth::Scope;
use http_semantics::negotiation::Negotiable;
use http_semantics::{MediaType, Validator, path};
use pages::Notice;
use pages::api::King;
use pages::overview::{Counts, Overview, OverviewQuery, Row, Totals};
use tables::population::PopulationQuery;
use tables::{ChangeSeqs, Cursor};

use fallback::OverviewData;

use super::form::{READING_NEEDS_A_TOKEN, Session, login_page};
use super::reads::{Unparsed, read_list};
use super::saved::Complete;
use super::{flash, html};
use crate::backends::{Backends, change_seq, number_header};
use crate::domain::statistics::{self, NamedPlace, Population, StatisticsQuery, StatisticsSort};
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
            if let Err(problem) = Session::load(&request).require_read() {
                return Ok(login_page(&problem, READING_NEEDS_A_TOKEN));
            }
        }
        Ok(Root::Dataset) => {
            if let Err(problem) = auth::check_token(&request, Scope::Read) {
                return Ok(Response::problem(&problem));
            }
            return Ok(dataset(request).await.unwrap_or_else(Response::from));
        }
        Err(problem) => return Ok(Response::problem(&problem)),
    }
    let backends = Backends::new(&request.env)?;
    let mut query = OverviewQuery::parse(&request.query, edge::NORMALIZE);
    let requested_at = edge::now();
    let reads = Reads::load(&backends, &query).await;
    if let Some(complete) = reads.complete() {
        complete.save::<OverviewData>(&request, &query.to_text(), requested_at);
    }
    let mut notices = flash(&request.query, "the place");
    let Reads {
        places,
        ranking,
        largest,
    } = reads;
    let shown = match ranking {
        Ok(ranking) => Shown::new(places.ok(), ranking, largest.ok()),
        Err(error) => {
            let saved = fallback::load_saved(&request, &query).await;
            if let Some((saved, is_of_query)) = saved {
                let mut notice = saved.notice(vec![error], "The counts are");
                if !is_of_query {
                    query = OverviewQuery::parse("", edge::NORMALIZE);
                    let order = query.order_label();
                    notice.push_str(" They are in the order “");
                    notice.push_str(order);
                    notice.push_str("”, because this view is not saved.");
                }
                notices.push(Notice::Warning(notice));
                saved.data.into_shown()
            } else {
                fallback::partial(&backends, &query, places.ok(), &mut notices).await
            }
        }
    };
    let page = Overview {
        query,
        totals: shown.totals,
        rows: shown.rows,
        max_population: shown.max_population,
        next: shown.next,
        notices,
    };
    Ok(html(200, page.to_html()))
}

/// The data of the page with a query, for the scheduled refresh of its snapshot. None if a backend
/// failed.
pub async fn data(backends: &Backends, query: &str) -> Option<Response> {
    let query = OverviewQuery::parse(query, edge::NORMALIZE);
    let reads = Reads::load(backends, &query).await;
    reads.complete()?.into_response::<OverviewData>()
}

/// The query of the first page.
#[must_use]
pub fn first_query() -> String {
    OverviewQuery::parse("", edge::NORMALIZE).to_text()
}

/// What the page shows.
#[derive(Default)]
struct Shown {
    totals: Totals,
    rows: Option<Vec<Row>>,
    next: Option<String>,
    max_population: i64,
}

impl Shown {
    fn new(places: Option<Count>, ranking: Ranking, largest: Option<i64>) -> Self {
        let Ranking {
            rows, next, totals, ..
        } = ranking;
        let rows: Vec<Row> = rows.into_iter().map(row).collect();
        let counts = rows.iter().filter_map(|row| row.counts.as_ref());
        let largest_shown = counts.map(|counts| counts.living + counts.dead).max();
        let mut shown = Self {
            rows: Some(rows),
            next,
            max_population: largest.or(largest_shown).unwrap_or_default(),
            ..Self::default()
        };
        shown.totals.places = places.map(|places| places.count);
        add_people(&mut shown.totals, totals);
        shown
    }
}

/// The number of places, and the change sequence at which they were counted.
struct Count {
    count: i64,
    change_seq: Option<Validator>,
}

/// The results of the reads that the page is made of.
struct Reads {
    places: Result<Count, Error>,
    ranking: Result<Ranking, Error>,
    largest: Result<i64, Error>,
}

impl Reads {
    async fn load(backends: &Backends, query: &OverviewQuery) -> Self {
        let (places, ranking, largest) = join3(
            number_of_places(backends),
            ranking(backends, query),
            largest_population(backends),
        )
        .await;
        Self {
            places,
            ranking,
            largest,
        }
    }

    /// The data of the page, if it is complete.
    fn complete(&self) -> Option<Complete<impl FnOnce() -> String>> {
        let (Ok(places), Ok(ranking), Ok(largest)) = (&self.places, &self.ranking, &self.largest)
        else {
            return None;
        };
        // The reads are separate, so the lower sequence is the one that all of them contain.
        let change_seqs = ranking.change_seqs.zip(places.change_seq);
        let change_seqs = change_seqs.and_then(|(seqs, places)| {
            let places = seqs.places.earlier(places)?;
            Some(ChangeSeqs { places, ..seqs })
        });
        let count = places.count;
        Some(Complete {
            change_seqs,
            render: move || fallback::data(count, ranking, *largest),
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

/// Populations, the number of all people, and the change sequence.
async fn read_populations(
    backends: &Backends,
    query: &str,
) -> Result<(Vec<Population>, service::Totals, Option<Validator>), Error> {
    let path = format!("/v1/people/population?{query}");
    let response = backends.people.get(&path).await?;
    let totals = service::Totals::from_headers(&response);
    let change_seq = change_seq(&response);
    let populations = backends.people.read_json(response).await?;
    Ok((populations, totals, change_seq))
}

async fn ranking(backends: &Backends, query: &OverviewQuery) -> Result<Ranking, Error> {
    if query.name.is_some() {
        return search(backends, query).await;
    }
    // A cursor of another order is ignored, because the reader has changed the order.
    let is_of_order =
        |cursor: &&Cursor| PopulationQuery::position_of(query.order, cursor).is_some();
    let statistics = StatisticsQuery {
        limit: OverviewQuery::page_size(),
        after: query.after.as_ref().filter(is_of_order).cloned(),
        sort: StatisticsSort::Population(query.order),
        least: query.least,
        ..StatisticsQuery::default()
    };
    let page = service::load(backends, &statistics).await?;
    Ok(Ranking {
        rows: page.rows,
        next: page.next.map(|next| next.to_string()),
        totals: page.totals,
        change_seqs: page.change_seqs,
    })
}

/// Places by the prefix of their name, then their populations.
async fn search(backends: &Backends, query: &OverviewQuery) -> Result<Ranking, Error> {
    let (places, next, places_seq) = places_by_name(backends, query).await?;
    let ids: Vec<String> = places.iter().map(|place| place.id.to_string()).collect();
    // The list must not be empty. The totals are needed even if no place was found.
    let ids = if ids.is_empty() {
        "1".to_owned()
    } else {
        ids.join(",")
    };
    let (populations, totals, people_seq) =
        read_populations(backends, &format!("ids={ids}")).await?;
    let least = query.least.unwrap_or_default();
    let row = |place: NamedPlace| {
        let mut populations = populations.iter();
        let population = populations.find(|population| population.place_id == place.id);
        let living = population.map_or(0, |population| population.living);
        (living >= least).then(|| statistics::Row {
            population: population.cloned(),
            place,
        })
    };
    let change_seqs = places_seq.zip(people_seq);
    Ok(Ranking {
        rows: places.into_iter().filter_map(row).collect(),
        next,
        totals,
        change_seqs: change_seqs.map(|(places, people)| ChangeSeqs { places, people }),
    })
}

/// A page of places in order of id, filtered by name, and the change sequence.
async fn places_by_name(
    backends: &Backends,
    query: &OverviewQuery,
) -> Result<(Vec<NamedPlace>, Option<String>, Option<Validator>), Error> {
    let mut params = form_urlencoded::Serializer::new(String::new());
    params.append_pair("limit", &OverviewQuery::page_size().get().to_string());
    if let Some(name) = &query.name {
        params.append_pair("name", name);
    }
    if let Some(after @ Cursor::Id(_)) = &query.after {
        params.append_pair("after", &after.to_string());
    }
    let path = format!("/v1/places?{}", params.finish());
    let places = Unparsed::load_list(&backends.places, &path).await?;
    Ok((
        places.parse(&backends.places)?,
        places.next,
        places.change_seq,
    ))
}

fn row(row: statistics::Row) -> Row {
    Row {
        id: row.place.id,
        name: Some(row.place.name),
        counts: Some(row.population.map(counts).unwrap_or_default()),
    }
}

fn counts(population: Population) -> Counts {
    Counts {
        living: population.living,
        dead: population.dead,
        king: population
            .king
            .and_then(statistics::King::present)
            .map(|(id, name)| King { id, name }),
    }
}

async fn number_of_places(backends: &Backends) -> Result<Count, Error> {
    let response = backends
        .places
        .get_ok("/v1/places?limit=1&count=exact")
        .await?;
    Ok(Count {
        count: number_header(&response, "x-total-count"),
        change_seq: change_seq(&response),
    })
}

/// The largest population of all places. It has the longest bar.
async fn largest_population(backends: &Backends) -> Result<i64, Error> {
    let path = "/v1/people/population?limit=1&sort=-total";
    let (populations, _) = read_list::<Population>(&backends.people, path).await?;
    let largest = populations.first();
    Ok(largest.map_or(0, |population| population.living + population.dead))
}
