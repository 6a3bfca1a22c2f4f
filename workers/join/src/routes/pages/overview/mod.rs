//! `GET /`: the overview for browsers, the dataset for `Accept: application/json`.

mod fallback;

use edge::{Error, Request, Response, auth};
use futures_util::future::join3;
use http_semantics::auth::Scope;
use http_semantics::negotiation::Negotiable;
use http_semantics::{MediaType, path};
use pages::api::{King, PlaceView};
use pages::overview::{Counts, Overview, OverviewQuery, Row, Totals};
use tables::population::PopulationQuery;

use super::form::{READING_NEEDS_A_TOKEN, Session, login_page};
use super::reads::read_list;
use super::{flash, html};
use crate::backends::{Backends, number_header};
use crate::domain::statistics::{self, Population};
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
    let mut notices = flash(&request.query, "the place");
    let query = OverviewQuery::parse(&request.query, edge::NORMALIZE);
    let (places, ranking, largest) = join3(
        number_of_places(&backends),
        ranking(&backends, &query),
        largest_population(&backends),
    )
    .await;
    let mut totals = Totals {
        places: places.ok(),
        ..Totals::default()
    };
    let (rows, next) = match ranking {
        Ok(Ranking {
            rows,
            next,
            totals: people,
        }) => {
            add_people(&mut totals, people);
            (Some(rows), next)
        }
        Err(error) => match fallback::load_stale(&request, &query).await {
            Some(stale) => {
                stale.add_notice(error, "The counts are", &mut notices);
                fallback::stale_rows(stale, &mut totals)
            }
            None => fallback::partial_rows(&backends, &query, &mut totals, &mut notices).await,
        },
    };
    let shown = rows.iter().flatten().filter_map(|row| row.counts.as_ref());
    let largest_shown = shown.map(|counts| counts.living + counts.dead).max();
    let max_population = largest.ok().or(largest_shown).unwrap_or_default();
    let page = Overview {
        query,
        totals,
        rows,
        max_population,
        next,
        notices,
    };
    Ok(html(200, page.to_html()))
}

/// The query of the statistics on the first page of the overview.
#[must_use]
pub fn first_statistics_query() -> String {
    statistics_query(&OverviewQuery::parse("", edge::NORMALIZE))
}

/// The query of the statistics on a page of the overview.
fn statistics_query(query: &OverviewQuery) -> String {
    let mut text = format!(
        "limit={}&sort={}",
        OverviewQuery::page_size().get(),
        query.order.name()
    );
    let least = query.least.map(|least| format!("&least={least}"));
    let after = query.after.as_ref().map(|after| format!("&after={after}"));
    text.extend([least, after].into_iter().flatten());
    text
}

/// A page of places with the number of their people.
struct Ranking {
    rows: Vec<Row>,
    next: Option<String>,
    totals: service::Totals,
}

fn add_people(totals: &mut Totals, people: service::Totals) {
    totals.living = Some(people.living);
    totals.dead = Some(people.dead);
    totals.dead_without_place = Some(people.dead_without_place);
}

/// Populations, and the number of all people.
async fn read_populations(
    backends: &Backends,
    query: &str,
) -> Result<(Vec<Population>, service::Totals), Error> {
    let path = format!("/v1/people/population?{query}");
    let response = backends.people.get(&path).await?;
    let totals = service::Totals::from_headers(&response);
    Ok((backends.people.read_json(response).await?, totals))
}

async fn ranking(backends: &Backends, query: &OverviewQuery) -> Result<Ranking, Error> {
    if query.name.is_some() {
        return search(backends, query).await;
    }
    // A cursor of another order is ignored, because the reader has changed the order.
    let after = query.after.as_ref();
    let after = after.and_then(|cursor| PopulationQuery::position_of(query.order, cursor));
    let populations = PopulationQuery {
        limit: OverviewQuery::page_size(),
        after,
        order: query.order,
        least: query.least,
        ..PopulationQuery::default()
    };
    let page = service::load(backends, populations).await?;
    Ok(Ranking {
        rows: page.rows.into_iter().map(row).collect(),
        next: page.next.map(|next| next.to_string()),
        totals: page.totals,
    })
}

/// Places by the prefix of their name, then their populations.
async fn search(backends: &Backends, query: &OverviewQuery) -> Result<Ranking, Error> {
    let (places, next) = places_by_name(backends, query).await?;
    let ids: Vec<String> = places.iter().map(|place| place.id.to_string()).collect();
    // The list must not be empty. The totals are needed even if no place was found.
    let ids = if ids.is_empty() {
        "1".to_owned()
    } else {
        ids.join(",")
    };
    let (populations, totals) = read_populations(backends, &format!("ids={ids}")).await?;
    let least = query.least.unwrap_or_default();
    let row = |place: PlaceView| {
        let mut populations = populations.iter();
        let population = populations.find(|population| population.place_id == place.id);
        let counts = population.cloned().map(counts).unwrap_or_default();
        (counts.living >= least).then_some(Row {
            id: place.id,
            name: Some(place.name),
            counts: Some(counts),
        })
    };
    Ok(Ranking {
        rows: places.into_iter().filter_map(row).collect(),
        next,
        totals,
    })
}

/// A page of places in order of id, filtered by name.
async fn places_by_name(
    backends: &Backends,
    query: &OverviewQuery,
) -> Result<(Vec<PlaceView>, Option<String>), Error> {
    let mut params = form_urlencoded::Serializer::new(String::new());
    params.append_pair("limit", &OverviewQuery::page_size().get().to_string());
    if let Some(name) = &query.name {
        params.append_pair("name", name);
    }
    if let Some(after @ tables::Cursor::Id(_)) = &query.after {
        params.append_pair("after", &after.to_string());
    }
    let path = format!("/v1/places?{}", params.finish());
    read_list(&backends.places, &path).await
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
        king: population.king.map(|king| King {
            id: king.id,
            name: king.name,
        }),
    }
}

async fn number_of_places(backends: &Backends) -> Result<i64, Error> {
    let response = backends
        .places
        .get_ok("/v1/places?limit=1&count=exact")
        .await?;
    Ok(number_header(&response, "x-total-count"))
}

/// The largest population of all places. It has the longest bar.
async fn largest_population(backends: &Backends) -> Result<i64, Error> {
    let path = "/v1/people/population?limit=1&sort=-total";
    let (populations, _) = read_list::<Population>(&backends.people, path).await?;
    let largest = populations.first();
    Ok(largest.map_or(0, |population| population.living + population.dead))
}
