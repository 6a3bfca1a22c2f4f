//! The rows of the overview while a backend is down: a snapshot, or what the other backend knows.

use edge::Request;
use futures_util::future::join;
use pages::Notice;
use pages::api::{King, PlaceView};
use pages::overview::{Counts, OverviewQuery, Row, Totals};
use serde::Deserialize;

use super::{add_people, counts, places_by_name, read_populations, statistics_query};
use crate::backends::Backends;
use crate::domain::statistics::Population;
use crate::routes::pages::reads::or_notice;
use crate::routes::pages::stale_part::StalePart;

/// The rows, if any are known, and the cursor of the next page.
type Rows = (Option<Vec<Row>>, Option<String>);

/// A record of the statistics. The last one counts the dead without a place, and has no id.
#[derive(Deserialize)]
pub struct Record {
    id: Option<i64>,
    name: Option<String>,
    living: i64,
    dead: i64,
    king: Option<King>,
}

/// The snapshot of the same page of statistics. A search has none.
pub async fn load_stale(
    request: &Request,
    query: &OverviewQuery,
) -> Option<StalePart<Vec<Record>>> {
    if query.name.is_some() {
        return None;
    }
    StalePart::load(request, "/statistics/places", &statistics_query(query)).await
}

/// The rows of a snapshot.
pub fn stale_rows(stale: StalePart<Vec<Record>>, totals: &mut Totals) -> Rows {
    let row = |record: Record| {
        let Some(id) = record.id else {
            totals.dead_without_place = Some(record.dead);
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
    let rows = stale.content.into_iter().filter_map(row).collect();
    (Some(rows), stale.next)
}

/// The rows without a snapshot: places without numbers, or numbers without names.
pub async fn partial_rows(
    backends: &Backends,
    query: &OverviewQuery,
    totals: &mut Totals,
    notices: &mut Vec<Notice>,
) -> Rows {
    let (sort, limit) = (query.order.name(), OverviewQuery::page_size().get());
    let least = query.least.map(|least| format!("&least={least}"));
    let populations_query = format!("limit={limit}&sort={sort}{}", least.unwrap_or_default());
    let (places, populations) = join(
        places_by_name(backends, query),
        read_populations(backends, &populations_query),
    )
    .await;
    let places = or_notice(places, "The place names are", notices);
    let populations = or_notice(populations, "The counts are", notices);
    if let Some((_, people)) = &populations {
        add_people(totals, *people);
    }
    match (places, populations) {
        (Some((places, next)), _) => {
            let without_counts = |place: PlaceView| Row {
                id: place.id,
                name: Some(place.name),
                counts: None,
            };
            (Some(places.into_iter().map(without_counts).collect()), next)
        }
        // Only the places service can search by name.
        (None, Some((populations, _))) if query.name.is_none() => {
            let without_name = |population: Population| Row {
                id: population.place_id,
                name: None,
                counts: Some(counts(population)),
            };
            let rows = populations.into_iter().map(without_name);
            (Some(rows.collect()), None)
        }
        (None, _) => (None, None),
    }
}
