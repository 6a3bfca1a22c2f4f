//! The integrity report over both databases, and its repair.
//!
//! The databases are read at two different times, so a place that was created in between looks
//! missing. Each suspect is therefore checked again. A place that is missing then stays missing,
//! because no place id is ever reused.

use domain::place_status::{MAX_INTEGRITY_ENTRIES, PlaceStatus, PlaceStatuses};
use edge::Error;
use futures_util::future::try_join;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::backends::Backends;
use crate::domain::{Residents, without_place};

/// The most pages of 5,000 places that one report reads.
const MAX_PAGES: usize = 200;

/// A page of the people service.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PeoplePage {
    residents: Vec<Residents>,
    next: Option<i64>,
    double_kings: Vec<Value>,
    pending: Vec<Value>,
}

/// A page of the places service.
#[derive(Deserialize)]
struct PlacesPage {
    places: Vec<i64>,
    next: Option<i64>,
    deleting: Vec<Value>,
}

/// The report.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whether no rule is broken. Writes and deletions in progress break none.
    consistent: bool,
    /// Whether all of both databases was read.
    complete: bool,
    /// People whose place does not exist.
    without_place: Vec<Residents>,
    double_kings: Vec<Value>,
    /// Places that are being deleted.
    deleting: Vec<Value>,
    /// Pending writes, which no reader sees yet.
    pending: Vec<Value>,
}

/// Compares both databases.
///
/// # Errors
/// A backend that failed.
pub async fn report(backends: &Backends) -> Result<Report, Error> {
    let Backends { places, people } = backends;
    let mut report = Report::default();
    let (mut after, mut pages) = (String::new(), 0);
    while pages < MAX_PAGES && !report.complete {
        let path = format!("/internal/integrity{after}");
        let places_page = async {
            places
                .read_json::<PlacesPage>(places.get(&path).await?)
                .await
        };
        let people_page = async {
            people
                .read_json::<PeoplePage>(people.get(&path).await?)
                .await
        };
        let (of_places, of_people) = try_join(places_page, people_page).await?;
        // Both pages are complete up to the end of the shorter one.
        let through = [of_places.next, of_people.next].into_iter().flatten().min();
        let mut residents = of_people.residents;
        residents.retain(|group| through.is_none_or(|last| group.place_id <= last));
        report
            .without_place
            .extend(without_place(&of_places.places, residents));
        if pages == 0 {
            report.double_kings = of_people.double_kings;
            report.pending = of_people.pending;
            report.deleting = of_places.deleting;
        }
        match through {
            None => report.complete = true,
            Some(last) => after = format!("?after={last}"),
        }
        pages += 1;
    }
    confirm(backends, &mut report.without_place).await?;
    let all_living_have_a_place = report.without_place.iter().all(|group| group.living == 0);
    report.consistent =
        report.complete && all_living_have_a_place && report.double_kings.is_empty();
    Ok(report)
}

/// Keeps the suspects whose place is still missing.
async fn confirm(backends: &Backends, suspects: &mut Vec<Residents>) -> Result<(), Error> {
    suspects.truncate(usize::try_from(MAX_INTEGRITY_ENTRIES).unwrap_or_default());
    if suspects.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = suspects
        .iter()
        .map(|group| group.place_id.to_string())
        .collect();
    let path = format!("/internal/statuses?ids={}", ids.join(","));
    let places = &backends.places;
    let now: PlaceStatuses = places.read_json(places.get(&path).await?).await?;
    suspects.retain(|group| now.get(group.place_id) == PlaceStatus::Missing);
    Ok(())
}

/// Finishes what crashes left: deletions, pending writes, and the dead of deleted places. It
/// only reports the living without a place, for an operator to move. `path` is the repair route
/// of both backends.
///
/// # Errors
/// A backend that failed.
pub async fn repair(backends: &Backends, path: &str, dry_run: bool) -> Result<Value, Error> {
    let Backends { places, people } = backends;
    let of_places: Value = places.read_json(places.post(path).await?).await?;
    let of_people: Value = people.read_json(people.post(path).await?).await?;
    let report = report(backends).await?;
    let (mut released, mut by_hand) = (Vec::new(), Vec::new());
    for group in report.without_place {
        if group.dead > 0 {
            if !dry_run {
                let path = format!("/internal/residents/{}/detach-dead", group.place_id);
                people.require_ok(people.post(&path).await?)?;
            }
            released.push(json!({"placeId": group.place_id, "dead": group.dead}));
        }
        if group.living > 0 {
            by_hand.push(json!({
                "placeId": group.place_id,
                "living": group.living,
                "remedy": "PATCH each of them with the placeId of a place that exists.",
            }));
        }
    }
    Ok(json!({
        "dryRun": dry_run,
        "deletions": of_places.get("deletions"),
        "pending": of_people.get("pending"),
        "released": released,
        "byHand": by_hand,
    }))
}
