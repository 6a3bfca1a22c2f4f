//! The integrity report on both databases, and the repair.
//!
//! The report reads the two databases one after the other, not at one moment. So a place that was
//! created between the two reads seems to be missing. The report therefore checks each missing
//! place again. If the place is still missing, it stays missing, because no place id is ever
//! reused.

use domain::place_status::{MAX_INTEGRITY_ENTRIES, PlaceStatus, PlaceStatuses};
use domain::{PlaceId, id};
use edge::{Calls, Error};
use futures_util::future::try_join;
use http_semantics::from_json;
use serde::Serialize;
use serde_json::{Value, json};

use crate::backends::Backends;
use crate::domain::{ResidentCounts, without_place};

/// The maximum number of pages of 5,000 places that one report reads.
const MAX_PAGES: usize = 200;

/// A page of the people service's report.
struct PeoplePage {
    residents: Vec<ResidentCounts>,
    next: Option<i64>,
    double_kings: Vec<Value>,
    pending: Vec<Value>,
}

/// A page of the places service's report.
struct PlacesPage {
    places: Vec<i64>,
    next: Option<i64>,
    deleting: Vec<Value>,
}

from_json! {
    PeoplePage { residents, next, double_kings: "doubleKings", pending }
    PlacesPage { places, next, deleting }
}

/// The report.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whether no rule is violated. Pending writes and deletions in progress violate none.
    consistent: bool,
    /// Whether the report covers both databases completely.
    complete: bool,
    /// The people whose place does not exist.
    without_place: Vec<ResidentCounts>,
    /// Places with more than one king.
    double_kings: Vec<Value>,
    /// Places that are being deleted.
    deleting: Vec<Value>,
    /// Pending writes. No reader sees them yet.
    pending: Vec<Value>,
    /// The place id after which another report has to continue.
    #[serde(skip)]
    pub next: Option<i64>,
}

/// The calls for one more page, and for the check at the end.
const PAGE: Calls = Calls::services(3);

/// Compares both databases, starting after a place id. The report is not complete if the quota of
/// the request ends first.
///
/// # Errors
/// A backend that failed.
pub async fn report(backends: &Backends, after: Option<PlaceId>) -> Result<Report, Error> {
    let Backends {
        places,
        people,
        quota,
    } = backends;
    let mut report = Report {
        next: Some(after.map_or(0, PlaceId::get)),
        ..Report::default()
    };
    let mut pages = 0;
    while let Some(begin) = report.next
        && pages < MAX_PAGES
        && quota.has(PAGE)
    {
        let query = (begin > 0).then(|| format!("?after={begin}"));
        let path = format!("/internal/integrity{}", query.unwrap_or_default());
        let places_page = async { places.read_json(places.get(&path).await?).await };
        let people_page = async { people.read_json(people.get(&path).await?).await };
        let (places_page, people_page): (PlacesPage, PeoplePage) =
            try_join(places_page, people_page).await?;
        // Both pages are complete up to the end of the page that ends first.
        let ends = [places_page.next, people_page.next];
        let through = ends.into_iter().flatten().min();
        let mut residents = people_page.residents;
        residents.retain(|count| through.is_none_or(|last| count.place_id <= last));
        report
            .without_place
            .extend(without_place(&places_page.places, residents));
        // The first page of each backend has what its report lists only once.
        if pages == 0 {
            report.double_kings = people_page.double_kings;
            report.pending = people_page.pending;
            report.deleting = places_page.deleting;
        }
        report.next = through;
        pages += 1;
    }
    report.complete = report.next.is_none();
    recheck(backends, &mut report.without_place).await?;
    let all_living_have_a_place = report.without_place.iter().all(|count| count.living == 0);
    report.consistent =
        report.complete && all_living_have_a_place && report.double_kings.is_empty();
    Ok(report)
}

/// Removes the counts whose place exists by now.
async fn recheck(backends: &Backends, counts: &mut Vec<ResidentCounts>) -> Result<(), Error> {
    counts.truncate(usize::try_from(MAX_INTEGRITY_ENTRIES).unwrap_or_default());
    let places = &backends.places;
    let mut statuses = PlaceStatuses::default();
    for ids in id::lists(counts.iter().map(|count| count.place_id)) {
        let path = format!("/internal/statuses?ids={ids}");
        statuses.extend(places.read_json(places.get(&path).await?).await?);
    }
    counts.retain(|count| statuses.get(count.place_id) == PlaceStatus::Missing);
    Ok(())
}

/// Finishes what a crash left unfinished: deletions, pending writes, and the dead of deleted
/// places. The living without a place are only reported, because an operator has to choose where
/// they move. `path` is the repair route of both backends.
///
/// # Errors
/// A backend that failed.
pub async fn repair(backends: &Backends, path: &str, dry_run: bool) -> Result<Value, Error> {
    let Backends {
        places,
        people,
        quota,
    } = backends;
    let places_repair: Value = places.read_json(places.post(path).await?).await?;
    let people_repair: Value = people.read_json(people.post(path).await?).await?;
    let report = report(backends, None).await?;
    let (mut released, mut by_hand) = (Vec::new(), Vec::new());
    for count in report.without_place {
        // The next repair finds what this one has no calls for.
        if count.dead > 0 && (dry_run || quota.has(Calls::services(1))) {
            if !dry_run {
                let path = format!("/internal/residents/{}/detach-dead", count.place_id);
                people.require_ok(people.post(&path).await?)?;
            }
            released.push(json!({"placeId": count.place_id, "dead": count.dead}));
        }
        if count.living > 0 {
            by_hand.push(json!({
                "placeId": count.place_id,
                "living": count.living,
                "remedy": "PATCH each of them with the placeId of a place that exists.",
            }));
        }
    }
    Ok(json!({
        "dryRun": dry_run,
        "deletions": places_repair.get("deletions"),
        "pending": people_repair.get("pending"),
        "released": released,
        "byHand": by_hand,
    }))
}
