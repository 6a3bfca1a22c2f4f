//! `GET /`: the overview for browsers, the dataset for `Accept: application/json`.

mod fallback;

use edge::{Error, Request, Response, auth};
use futures_util::future::join3;
use http_semantics::auth::Scope;
use http_semantics::negotiation::Negotiable;
use http_semantics::{MediaType, path};
use pages::api::{Place, Population};
use pages::overview::{Counts, Overview, OverviewQuery, Row, Totals};
use tables::population::PopulationQuery;

use super::form::{Session, login_page};
use super::reads::list;
use super::{flash, html};
use crate::backends::{Backends, number_header};
use crate::domain::statistics;
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

/// The page or the dataset. Errors of the dataset and of `Accept` are problems, not pages. `/v1`
/// is always the dataset.
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
                return Ok(login_page(&problem));
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
    let mut notices = flash(&request.query);
    let query = OverviewQuery::parse(&request.query);
    let (places, ranking, longest) = join3(
        number_of_places(&backends),
        ranking(&backends, &query),
        longest_bar(&backends),
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
                stale.warn(error, "how many live where", &mut notices);
                fallback::stale(stale, &mut totals)
            }
            None => fallback::partial(&backends, &query, &mut totals, &mut notices).await,
        },
    };
    let shown = rows.iter().flatten().filter_map(|row| row.counts.as_ref());
    let longest_shown = shown.map(|counts| counts.living + counts.dead).max();
    let max_population = longest.ok().or(longest_shown).unwrap_or_default();
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

/// The query of the statistics that the overview shows first.
#[must_use]
pub fn first_statistics_query() -> String {
    statistics_query(&OverviewQuery::parse(""))
}

/// The query of the statistics that the overview shows.
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
async fn populations(
    backends: &Backends,
    query: &str,
) -> Result<(Vec<Population>, service::Totals), Error> {
    let path = format!("/v1/people/population?{query}");
    let response = backends.people.get(&path).await?;
    let totals = service::Totals::of_response(&response);
    Ok((backends.people.read_json(response).await?, totals))
}

async fn ranking(backends: &Backends, query: &OverviewQuery) -> Result<Ranking, Error> {
    if query.name.is_some() {
        return search(backends, query).await;
    }
    let after = query.after.as_ref();
    // A cursor of another order belongs to the previous page, so the ranking restarts.
    let of_order = |after| PopulationQuery::position_of(query.order, after);
    let populations = PopulationQuery {
        limit: OverviewQuery::page_size(),
        after: after.and_then(of_order),
        order: query.order,
        least: query.least,
        ..PopulationQuery::default()
    };
    let page = service::page(backends, populations).await?;
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
    let ids = if ids.is_empty() {
        "1".to_owned()
    } else {
        ids.join(",")
    };
    let (populations, totals) = populations(backends, &format!("ids={ids}")).await?;
    let row = |place: Place| {
        let people = populations.iter().find(|one| one.place_id == place.id);
        let counts = people.cloned().map(Counts::from);
        Row {
            id: place.id,
            name: Some(place.name),
            counts: Some(counts.unwrap_or_default()),
        }
    };
    let rows: Vec<Row> = places.into_iter().map(row).collect();
    let least = query.least.unwrap_or_default();
    let is_enough = |row: &Row| {
        row.counts
            .as_ref()
            .is_some_and(|counts| counts.living >= least)
    };
    Ok(Ranking {
        rows: rows.into_iter().filter(is_enough).collect(),
        next,
        totals,
    })
}

/// A page of places in order of id, filtered by name.
async fn places_by_name(
    backends: &Backends,
    query: &OverviewQuery,
) -> Result<(Vec<Place>, Option<String>), Error> {
    let mut params = form_urlencoded::Serializer::new(String::new());
    params.append_pair("limit", &OverviewQuery::page_size().get().to_string());
    if let Some(name) = &query.name {
        params.append_pair("name", name);
    }
    if let Some(after @ tables::Cursor::Id(_)) = &query.after {
        params.append_pair("after", &after.to_string());
    }
    list(&backends.places, &format!("/v1/places?{}", params.finish())).await
}

fn row(row: statistics::Row) -> Row {
    Row {
        id: row.place.id,
        name: Some(row.place.name),
        counts: Some(row.population.map(Counts::from).unwrap_or_default()),
    }
}

async fn number_of_places(backends: &Backends) -> Result<i64, Error> {
    let response = backends
        .places
        .get_ok("/v1/places?limit=1&count=exact")
        .await?;
    Ok(number_header(&response, "x-total-count"))
}

/// The highest population, which scales the bars.
async fn longest_bar(backends: &Backends) -> Result<i64, Error> {
    let path = "/v1/people/population?limit=1&sort=-total";
    let (found, _) = list::<Population>(&backends.people, path).await?;
    Ok(found.first().map_or(0, |one| one.living + one.dead))
}
