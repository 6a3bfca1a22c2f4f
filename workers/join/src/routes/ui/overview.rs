//! `GET /`: the overview, for who asks for a page; the dataset for who asks for JSON.

use edge::{Answer, Call, Error, auth};
use futures_util::future::{join, join3};
use http_semantics::auth::Scope;
use http_semantics::negotiation::Form;
use http_semantics::{Format, path};
use pages::Notice;
use pages::api::{King, Place, Population};
use pages::overview::{Ask, Counts, Overview, Row, Totals};
use serde::Deserialize;
use tables::population::Populations;

use super::form::{Session, gate};
use super::past::{self, Past};
use super::reading::{list, or_warn};
use super::{done, html};
use crate::domain::statistics;
use crate::routes::dataset;
use crate::routes::people_per_place::Services;
use crate::routes::statistics::{Sums, gathered, number};

/// What the root can be, for `Accept`.
#[derive(Clone, Copy)]
enum Root {
    Page,
    Dataset,
}

impl Form for Root {
    fn essence(self) -> &'static str {
        match self {
            Self::Page => "text/html",
            Self::Dataset => Format::Json.essence(),
        }
    }
}

/// The page, or the dataset, whose errors are no pages, nor is one that `Accept` allows neither
/// of them. With its version the root is the dataset alone.
///
/// # Errors
/// None.
pub async fn overview(call: Call) -> Result<Answer, Error> {
    let root = match path::of_address(&call.incoming.url).0 {
        "/" => call.format(&[Root::Page, Root::Dataset]),
        _ => Ok(Root::Dataset),
    };
    match root {
        Ok(Root::Page) => {
            if let Err(problem) = Session::of(&call).may_read() {
                return Ok(gate(&problem));
            }
        }
        Ok(Root::Dataset) => {
            if let Err(problem) = auth::admit(&call, Scope::Read) {
                return Ok(Answer::problem(&problem));
            }
            return Ok(dataset(call).await.unwrap_or_else(Answer::from));
        }
        Err(problem) => return Ok(Answer::problem(&problem)),
    }
    let services = Services::of(&call.env)?;
    let mut notices = done(&call.query);
    let ask = Ask::read(&call.query);
    let (places, found, most) = join3(
        number_of_places(&services),
        page(&services, &ask),
        most_of_a_place(&services),
    )
    .await;
    let mut totals = Totals {
        places: places.ok(),
        ..Totals::default()
    };
    let (rows, next) = match found {
        Ok(Found { rows, next, sums }) => {
            count(&mut totals, sums);
            (Some(rows), next)
        }
        Err(error) => match past(&call, &ask).await {
            Some(past) => {
                past.told(error, "how many live where", &mut notices);
                of_past(past, &mut totals)
            }
            None => half(&services, &ask, &mut totals, &mut notices).await,
        },
    };
    let shown = rows.iter().flatten().filter_map(|row| row.counts.as_ref());
    let most_shown = shown.map(|counts| counts.living + counts.dead).max();
    let most = most.ok().or(most_shown).unwrap_or_default();
    let page = Overview {
        ask,
        totals,
        rows,
        most,
        next,
        notices,
    };
    Ok(html(200, page.to_html()))
}

/// The query of the statistics that the overview shows to who asks for nothing else.
#[must_use]
pub fn first_page() -> String {
    statistics_query(&Ask::read(""))
}

/// The query of the statistics that show what the overview does.
fn statistics_query(ask: &Ask) -> String {
    let mut query = format!("limit={}&sort={}", Ask::limit().get(), ask.order.name());
    let least = ask.least.map(|least| format!("&least={least}"));
    let after = ask.after.as_ref().map(|after| format!("&after={after}"));
    query.extend([least, after].into_iter().flatten());
    query
}

struct Found {
    rows: Vec<Row>,
    next: Option<String>,
    sums: Sums,
}

fn count(totals: &mut Totals, sums: Sums) {
    totals.living = Some(sums.living);
    totals.dead = Some(sums.dead);
    totals.nowhere = Some(sums.nowhere);
}

/// Populations, and how many people there are in all.
async fn populations(services: &Services, query: &str) -> Result<(Vec<Population>, Sums), Error> {
    let path = format!("/v1/people/population?{query}");
    let response = services.people.get(&path).await?;
    let sums = Sums::of(&response);
    Ok((services.people.read_json(response).await?, sums))
}

async fn page(services: &Services, ask: &Ask) -> Result<Found, Error> {
    if ask.name.is_some() {
        return search(services, ask).await;
    }
    let after = ask.after.as_ref();
    // A cursor of another order is one of a page that was left: it begins anew.
    let of_order = |after| Populations::behind(ask.order, after);
    let asked = Populations {
        limit: Ask::limit(),
        after: after.and_then(of_order),
        order: ask.order,
        least: ask.least,
        ..Populations::default()
    };
    let found = gathered(services, asked).await?;
    Ok(Found {
        rows: found.rows.into_iter().map(row).collect(),
        next: found.next.map(|next| next.to_string()),
        sums: found.sums,
    })
}

/// Places by the beginning of their name, then their people in numbers.
async fn search(services: &Services, ask: &Ask) -> Result<Found, Error> {
    let (places, next) = named(services, ask).await?;
    let ids: Vec<String> = places.iter().map(|place| place.id.to_string()).collect();
    let ids = if ids.is_empty() {
        "1".to_owned()
    } else {
        ids.join(",")
    };
    let (populations, sums) = populations(services, &format!("ids={ids}")).await?;
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
    let least = ask.least.unwrap_or_default();
    let is_enough = |row: &Row| {
        row.counts
            .as_ref()
            .is_some_and(|counts| counts.living >= least)
    };
    Ok(Found {
        rows: rows.into_iter().filter(is_enough).collect(),
        next,
        sums,
    })
}

/// A page of places by number, of a name if one is asked for.
async fn named(services: &Services, ask: &Ask) -> Result<(Vec<Place>, Option<String>), Error> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", &Ask::limit().get().to_string());
    if let Some(name) = &ask.name {
        query.append_pair("name", name);
    }
    if let Some(after @ tables::Cursor::Id(_)) = &ask.after {
        query.append_pair("after", &after.to_string());
    }
    list(&services.places, &format!("/v1/places?{}", query.finish())).await
}

/// A record of the statistics; those of no place stand in one without an id.
#[derive(Deserialize)]
struct Record {
    id: Option<i64>,
    name: Option<String>,
    living: i64,
    dead: i64,
    king: Option<King>,
}

/// The same page of the statistics as it was, if it is one.
async fn past(call: &Call, ask: &Ask) -> Option<Past<Vec<Record>>> {
    if ask.name.is_some() {
        return None;
    }
    past::past(call, "/statistics/places", &statistics_query(ask)).await
}

fn of_past(past: Past<Vec<Record>>, totals: &mut Totals) -> (Option<Vec<Row>>, Option<String>) {
    let row = |record: Record| {
        let Some(id) = record.id else {
            totals.nowhere = Some(record.dead);
            return None;
        };
        let counts = Counts {
            living: record.living,
            dead: record.dead,
            king: record.king,
        };
        Some(Row {
            id,
            name: record.name,
            counts: Some(counts),
        })
    };
    (
        Some(past.shown.into_iter().filter_map(row).collect()),
        past.next,
    )
}

/// What is known while one of the services, or both, fail.
async fn half(
    services: &Services,
    ask: &Ask,
    totals: &mut Totals,
    notices: &mut Vec<Notice>,
) -> (Option<Vec<Row>>, Option<String>) {
    let (sort, limit) = (ask.order.name(), Ask::limit().get());
    let least = ask.least.map(|least| format!("&least={least}"));
    let query = format!("limit={limit}&sort={sort}{}", least.unwrap_or_default());
    let (places, populations) = join(named(services, ask), populations(services, &query)).await;
    let places = or_warn(places, "the names of the places", notices);
    let populations = or_warn(populations, "how many live there", notices);
    if let Some((_, sums)) = &populations {
        count(totals, *sums);
    }
    match (places, populations) {
        (Some((places, next)), _) => {
            let unknown = |place: Place| Row {
                id: place.id,
                name: Some(place.name),
                counts: None,
            };
            (Some(places.into_iter().map(unknown).collect()), next)
        }
        // Nobody but the owner of the names finds a place by its name.
        (None, Some((populations, _))) if ask.name.is_none() => {
            let nameless = |one: Population| Row {
                id: one.place_id,
                name: None,
                counts: Some(one.into()),
            };
            (Some(populations.into_iter().map(nameless).collect()), None)
        }
        (None, _) => (None, None),
    }
}

fn row(row: statistics::Row) -> Row {
    // Names come as the JSON that their owner wrote.
    let text = |json: &str| serde_json::from_str::<String>(json).unwrap_or_default();
    let counts = row.people.map_or_else(Counts::default, |people| Counts {
        living: people.living,
        dead: people.dead,
        king: people.king.map(|king| King {
            id: king.id,
            name: text(&king.name),
        }),
    });
    Row {
        id: row.place.id,
        name: Some(text(&row.place.name)),
        counts: Some(counts),
    }
}

async fn number_of_places(services: &Services) -> Result<i64, Error> {
    let response = services
        .places
        .read("/v1/places?limit=1&count=exact")
        .await?;
    Ok(number(&response, "x-total-count"))
}

/// The longest bar.
async fn most_of_a_place(services: &Services) -> Result<i64, Error> {
    let path = "/v1/people/population?limit=1&sort=-total";
    let (found, _) = list::<Population>(&services.people, path).await?;
    Ok(found.first().map_or(0, |one| one.living + one.dead))
}
