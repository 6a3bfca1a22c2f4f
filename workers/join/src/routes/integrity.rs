//! `GET /v1/integrity` and `POST /v1/integrity/repair`
//!
//! The registers are read at two moments, so a place that was made in between would look as if
//! it were missing: whoever seems to be of no place is looked up once more. What is missing
//! then is missing for good, because no place's id is ever used again.

use domain::place_status::{MAX_ENTRIES, PlaceStatus, PlaceStatuses};
use edge::{Answer, Body, Call, Error};
use futures_util::future::try_join;
use http_semantics::Format;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::people_per_place::Services;
use crate::domain::{Residents, of_no_place};

/// The parameters of the repair.
pub const PARAMETERS: &[&str] = &["dryRun", "olderThan"];

/// The most pages of 5,000 places that one report reads.
const MOST_PAGES: usize = 200;

/// The register of people's part.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfPeople {
    residents: Vec<Residents>,
    next: Option<i64>,
    double_kings: Vec<Value>,
    pending: Vec<Value>,
}

/// The register of places' part.
#[derive(Deserialize)]
struct OfPlaces {
    places: Vec<i64>,
    next: Option<i64>,
    deleting: Vec<Value>,
}

/// The report.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Report {
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

/// What of the two registers does not fit together.
///
/// # Errors
/// A query where none is known, or a service that failed.
pub async fn integrity(call: Call) -> Result<Answer, Error> {
    call.params(&[])?;
    let mut services = Services::of(&call.env)?;
    services.drop_deadline();
    let report = report(&services).await?;
    let body = serde_json::to_string(&report).unwrap_or_default();
    Ok(Answer::ok(Format::Json.media_type(), Body::Text(body)))
}

async fn report(services: &Services) -> Result<Report, Error> {
    let (places, people) = (&services.places, &services.people);
    let mut report = Report::default();
    let (mut after, mut pages) = (String::new(), 0);
    while pages < MOST_PAGES && !report.complete {
        let path = format!("/internal/integrity{after}");
        let of_places = async { places.read_json::<OfPlaces>(places.get(&path).await?).await };
        let of_people = async { people.read_json::<OfPeople>(people.get(&path).await?).await };
        let (of_places, of_people) = try_join(of_places, of_people).await?;
        // Each page reaches as far as the shorter of the two.
        let through = [of_places.next, of_people.next].into_iter().flatten().min();
        let mut residents = of_people.residents;
        residents.retain(|group| through.is_none_or(|last| group.place_id <= last));
        report
            .without_place
            .extend(of_no_place(&of_places.places, residents));
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
    confirm(services, &mut report.without_place).await?;
    let all_living_have_a_place = report.without_place.iter().all(|group| group.living == 0);
    report.consistent =
        report.complete && all_living_have_a_place && report.double_kings.is_empty();
    Ok(report)
}

/// Keeps those whose place is missing still.
async fn confirm(services: &Services, suspects: &mut Vec<Residents>) -> Result<(), Error> {
    suspects.truncate(usize::try_from(MAX_ENTRIES).unwrap_or_default());
    if suspects.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = suspects
        .iter()
        .map(|group| group.place_id.to_string())
        .collect();
    let path = format!("/internal/statuses?ids={}", ids.join(","));
    let places = &services.places;
    let now: PlaceStatuses = places.read_json(places.get(&path).await?).await?;
    suspects.retain(|group| now.get(group.place_id) == PlaceStatus::Missing);
    Ok(())
}

/// Finishes what crashes left: deletions, pending writes, and the dead of deleted places. With
/// `dryRun=true` it only reports what it would do. It reports the living without a place, which
/// only a change by hand in a database can cause, for an operator to move.
///
/// # Errors
/// A query that cannot be used, or a service that failed.
pub async fn repair(call: Call) -> Result<Answer, Error> {
    let params = call.params(PARAMETERS)?;
    let dry_run = params.get::<bool>("dryRun")?.unwrap_or(false);
    params.get::<http_semantics::params::Seconds>("olderThan")?;
    let mut services = Services::of(&call.env)?;
    services.drop_deadline();
    let query = if call.query.is_empty() {
        String::new()
    } else {
        format!("?{}", call.query)
    };
    let report = repaired(&services, &format!("/internal/repair{query}"), dry_run).await;
    // What breaks off has done some of it, perhaps.
    let body = match report {
        Err(error) if !dry_run => return Err(error.of_write()),
        report => report?.to_string(),
    };
    Ok(Answer::ok(Format::Json.media_type(), Body::Text(body)))
}

async fn repaired(services: &Services, path: &str, dry_run: bool) -> Result<Value, Error> {
    let Services { places, people } = services;
    let done: Value = places.read_json(places.post(path).await?).await?;
    let swept: Value = people.read_json(people.post(path).await?).await?;
    let found = report(services).await?;
    let (mut released, mut by_hand) = (Vec::new(), Vec::new());
    for group in found.without_place {
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
        "deletions": done.get("deletions"),
        "pending": swept.get("pending"),
        "released": released,
        "byHand": by_hand,
    }))
}
