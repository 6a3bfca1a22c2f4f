//! The overview while a backend is down: what it last showed, or what the other backend knows.

use std::fmt::Write as _;

use edge::Request;
use futures_util::future::join;
use http_semantics::MediaType;
use pages::Notice;
use pages::api::King;
use pages::overview::{Counts, OverviewQuery, Row, Totals};
use serde::Deserialize;

use super::{Count, Ranking, Shown, add_people, counts, places_by_name, read_populations};
use crate::backends::Backends;
use crate::domain::statistics::{self, NamedPlace, Population};
use crate::routes::pages::reads::or_notice;
use crate::routes::pages::saved::Saved;

/// The data of the page as JSON. Its rows are records of the statistics.
pub fn data(places: i64, ranking: &Ranking, largest: i64) -> String {
    let Ranking {
        rows, next, totals, ..
    } = ranking;
    let format = MediaType::Json;
    let rows = statistics::render(rows, totals.living, None, format, format.framing());
    let mut data = format!(
        r#"{{"places":{places},"living":{},"dead":{},"deadWithoutPlace":{},"largest":{largest},"rows":{rows}"#,
        totals.living, totals.dead, totals.dead_without_place,
    );
    if let Some(next) = next {
        // A cursor has only digits. Writing to memory cannot fail.
        let _ = write!(data, r#","next":"{next}""#);
    }
    data + "}"
}

/// The data of the page, as [`data`] renders it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OverviewData {
    places: i64,
    living: i64,
    dead: i64,
    dead_without_place: i64,
    largest: i64,
    rows: Vec<Record>,
    next: Option<String>,
}

/// A record of the statistics.
#[derive(Deserialize)]
struct Record {
    id: i64,
    name: String,
    living: i64,
    dead: i64,
    king: Option<King>,
}

impl OverviewData {
    /// What the page shows.
    pub fn into_shown(self) -> Shown {
        let row = |record: Record| Row {
            id: record.id,
            name: Some(record.name),
            counts: Some(Counts {
                living: record.living,
                dead: record.dead,
                king: record.king,
            }),
        };
        Shown {
            totals: Totals {
                places: Some(self.places),
                living: Some(self.living),
                dead: Some(self.dead),
                dead_without_place: Some(self.dead_without_place),
            },
            rows: Some(self.rows.into_iter().map(row).collect()),
            next: self.next,
            max_population: self.largest,
        }
    }
}

/// The saved data of the page with this query, or else of the first page without a filter. Also
/// returns whether it is that of the query. A search needs its own: the other backend may know it.
pub async fn load_saved(
    request: &Request,
    query: &OverviewQuery,
) -> Option<(Saved<OverviewData>, bool)> {
    let Request { env, path, .. } = request;
    if let Some(saved) = Saved::load(env, path, &query.to_text()).await {
        return Some((saved, true));
    }
    if query.name.is_some() || query.is_default() {
        return None;
    }
    let saved = Saved::load(env, path, &super::first_query()).await;
    saved.map(|saved| (saved, false))
}

/// The page without saved data: places without numbers, or numbers without names.
pub async fn partial(
    backends: &Backends,
    query: &OverviewQuery,
    number_of_places: Option<Count>,
    notices: &mut Vec<Notice>,
) -> Shown {
    let (sort, limit) = (query.order.name(), OverviewQuery::page_size().get());
    let least = query.least.map(|least| format!("&least={least}"));
    let populations_query = format!("limit={limit}&sort={sort}{}", least.unwrap_or_default());
    let (places, populations) = join(
        places_by_name(backends, query),
        read_populations(backends, &populations_query),
    )
    .await;
    let mut shown = Shown::default();
    shown.totals.places = number_of_places.map(|places| places.count);
    let places = or_notice(places, "The place names are", notices);
    let populations = or_notice(populations, "The counts are", notices);
    if let Some((_, people, _)) = &populations {
        add_people(&mut shown.totals, *people);
    }
    match (places, populations) {
        (Some((places, next, _)), _) => {
            let without_counts = |place: NamedPlace| Row {
                id: place.id,
                name: Some(place.name),
                counts: None,
            };
            shown.rows = Some(places.into_iter().map(without_counts).collect());
            shown.next = next;
        }
        // Only the places service can search by name.
        (None, Some((populations, ..))) if query.name.is_none() => {
            let population_of = |population: &Population| population.living + population.dead;
            let largest = populations.iter().map(population_of).max();
            shown.max_population = largest.unwrap_or_default();
            let without_name = |population: Population| Row {
                id: population.place_id,
                name: None,
                counts: Some(counts(population)),
            };
            shown.rows = Some(populations.into_iter().map(without_name).collect());
        }
        (None, _) => {}
    }
    shown
}
