//! The overview page while a backend is down. It shows the saved data of the page. Without saved
//! data, it shows what the other backend knows.

use std::fmt::Write as _;

use edge::Request;
use futures_util::future::join;
use http_semantics::MediaType;
use pages::api::{King, PlaceView, Population};
use pages::chart::Point;
use pages::list::Total;
use pages::overview::{Counts, OverviewQuery, Row, Totals};
use pages::{Notice, from_json};
use tables::population::{Order, PopulationQuery};

use super::{PlaceCount, Ranking, Shown, add_people, places_page, read_populations};
use crate::backends::Backends;
use crate::domain::statistics::{self, StatisticsSort};
use crate::routes::pages::reads::or_notice;
use crate::routes::pages::saved::Saved;

/// The data of the page as JSON. Its rows are records of the statistics.
pub fn data(places: &PlaceCount, ranking: &Ranking, series: &str) -> String {
    let Ranking {
        rows, next, totals, ..
    } = ranking;
    let format = MediaType::Json;
    let rows = statistics::render(rows, totals.living, None, format, format.framing());
    let largest = totals.largest.unwrap_or_default();
    let matches = places.of_search.filter(|total| !total.is_minimum);
    let mut data = format!(
        r#"{{"places":{},"matches":{},"living":{},"dead":{},"deadWithoutPlace":{},"largest":{largest},"series":{series},"rows":{rows}"#,
        places.all,
        matches.map_or_else(|| "null".to_owned(), |total| total.count.to_string()),
        totals.living,
        totals.dead,
        totals.dead_without_place,
    );
    if let Some(next) = next {
        // A cursor has only digits. Writing to memory cannot fail.
        let _ = write!(data, r#","next":"{next}""#);
    }
    data + "}"
}

/// The data of the page, as [`data`] renders it.
pub struct OverviewData {
    places: i64,
    matches: Option<i64>,
    living: i64,
    dead: i64,
    dead_without_place: i64,
    largest: i64,
    series: Vec<Point>,
    rows: Vec<Record>,
    next: Option<String>,
}

/// A record of the statistics.
struct Record {
    id: i64,
    name: String,
    living: i64,
    dead: i64,
    king: Option<King>,
}

from_json! {
    OverviewData {
        places: "places",
        matches: "matches",
        living: "living",
        dead: "dead",
        dead_without_place: "deadWithoutPlace",
        largest: "largest",
        series: "series",
        rows: "rows",
        next: "next",
    }
    Record {
        id: "id",
        name: "name",
        living: "living",
        dead: "dead",
        king: "king",
    }
}

impl OverviewData {
    /// The shown data.
    pub fn into_shown(self, query: &OverviewQuery) -> Shown {
        let row = |record: Record| Row {
            id: record.id,
            name: Some(record.name),
            counts: Some(Counts {
                living: record.living,
                dead: record.dead,
                king: record.king,
            }),
        };
        let mut shown = Shown {
            totals: Totals {
                places: Some(self.places),
                living: Some(self.living),
                dead: Some(self.dead),
                dead_without_place: Some(self.dead_without_place),
            },
            max_population: self.largest,
            series: Some(self.series),
            ..Shown::default()
        };
        let total = self.matches.map(|count| Total {
            count,
            is_minimum: false,
        });
        let rows = self.rows.into_iter().map(row).collect();
        shown.set_rows(query, rows, self.next, total);
        shown
    }
}

/// The saved data of the page with this query, or else of the first page without a filter. Also
/// returns whether it is that of the query. A search needs its own: the other backend may know it.
pub async fn load_saved(
    request: &Request,
    query: &OverviewQuery,
) -> Option<(Saved<OverviewData>, bool)> {
    let Request { env, path, .. } = request;
    if let Some(saved) = Saved::load(env, path, &query.list.to_text()).await {
        return Some((saved, true));
    }
    if query.list.search().is_some() || query.is_default() {
        return None;
    }
    let saved = Saved::load(env, path, &super::first_query()).await;
    saved.map(|saved| (saved, false))
}

/// The page without saved data: places without numbers, or numbers without names.
pub async fn partial(
    backends: &Backends,
    query: &OverviewQuery,
    number_of_places: Option<PlaceCount>,
    notices: &mut Vec<Notice>,
) -> Shown {
    let order = match super::sort(query) {
        StatisticsSort::Population(order) => order,
        StatisticsSort::Name { .. } => Order::Id,
    };
    let populations = PopulationQuery {
        limit: query.list.limit(),
        order,
        least: query.least,
        as_of: query.period.as_of.clone(),
        ..PopulationQuery::default()
    };
    let (places, populations) = join(
        places_page(backends, query),
        read_populations(backends, &populations.path()),
    )
    .await;
    let mut shown = Shown::default();
    let total = number_of_places
        .as_ref()
        .and_then(|places| places.of_search);
    shown.totals.places = number_of_places.map(|places| places.all);
    let places = or_notice(places, "The place names are", notices);
    let populations = or_notice(populations, "The counts are", notices);
    if let Some((_, people)) = &populations {
        add_people(&mut shown.totals, *people);
    }
    match (places, populations) {
        (Some((places, next)), _) => {
            let without_counts = |place: PlaceView| Row {
                id: place.id,
                name: Some(place.name),
                counts: None,
            };
            let rows = places.into_iter().map(without_counts).collect();
            shown.set_rows(query, rows, next, total);
        }
        // Only the places service can search by name.
        (None, Some((populations, totals))) if query.list.search().is_none() => {
            shown.max_population = totals.largest.unwrap_or_default();
            let without_name = |population: Population| Row {
                id: population.place_id,
                name: None,
                counts: Some(population.into()),
            };
            shown.rows = Some(populations.into_iter().map(without_name).collect());
        }
        (None, _) => {}
    }
    shown
}
