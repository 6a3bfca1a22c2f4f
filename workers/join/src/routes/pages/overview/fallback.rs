//! What the overview shows while a backend is down.

use edge::Request;
use futures_util::future::join;
use pages::Notice;
use pages::api::{King, Place, Population};
use pages::overview::{Counts, OverviewQuery, Row, Totals};
use serde::Deserialize;

use super::{add_people, places_by_name, populations, statistics_query};
use crate::backends::Backends;
use crate::routes::pages::reads::or_warn;
use crate::routes::pages::stale_part::StalePart;

/// The rows of the ranking and the cursor of the next page. No rows: nothing is known.
type Rows = (Option<Vec<Row>>, Option<String>);

/// A record of the statistics. Those without a place have no id.
#[derive(Deserialize)]
pub struct Record {
    id: Option<i64>,
    name: Option<String>,
    living: i64,
    dead: i64,
    king: Option<King>,
}

/// The snapshot of the same page of the statistics. There is none for a search.
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
pub fn stale(stale: StalePart<Vec<Record>>, totals: &mut Totals) -> Rows {
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

/// The rows that are known without a snapshot.
pub async fn partial(
    backends: &Backends,
    query: &OverviewQuery,
    totals: &mut Totals,
    notices: &mut Vec<Notice>,
) -> Rows {
    let (sort, limit) = (query.order.name(), OverviewQuery::page_size().get());
    let least = query.least.map(|least| format!("&least={least}"));
    let text = format!("limit={limit}&sort={sort}{}", least.unwrap_or_default());
    let (places, populations) = join(
        places_by_name(backends, query),
        populations(backends, &text),
    )
    .await;
    let places = or_warn(places, "the names of the places", notices);
    let populations = or_warn(populations, "how many live there", notices);
    if let Some((_, people)) = &populations {
        add_people(totals, *people);
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
        // Only the places service can search by name.
        (None, Some((populations, _))) if query.name.is_none() => {
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
