//! `GET /v1/integrity` and `POST /v1/integrity/repair`
//!
//! The registers are read at two moments, so a place that was made in between would look as if
//! it were missing: whoever seems to be of no place is looked up once more. What is missing
//! then is missing for good, because no place's id is ever used again.

use edge::{Answer, Body, Call, Error};
use futures_util::future::try_join;
use registry::Format;
use registry::integrity::{DOUBTS_SHOWN, Standing, Standings};
use registry::params::Seconds;
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
    unsettled: Vec<Value>,
}

/// The register of places' part.
#[derive(Deserialize)]
struct OfPlaces {
    places: Vec<i64>,
    next: Option<i64>,
    going: Vec<Value>,
}

/// The report.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Report {
    /// Whether no rule is broken. What is on its way (`halfDeleted`, `unsettled`) breaks none.
    is_sound: bool,
    /// Whether all of both registers was read.
    is_complete: bool,
    /// Living people, and dead ones, in no existing place.
    of_no_place: Vec<Residents>,
    double_kings: Vec<Value>,
    /// Places on their way out.
    half_deleted: Vec<Value>,
    /// Writes whose place has not been asked again yet.
    unsettled: Vec<Value>,
}

/// What of the two registers does not fit together.
///
/// # Errors
/// A query where none is known, or a service that failed.
pub async fn integrity(call: Call) -> Result<Answer, Error> {
    call.params(&[])?;
    let mut services = Services::of(&call.env)?;
    services.unhurried();
    let report = report(&services).await?;
    let body = serde_json::to_string(&report).unwrap_or_default();
    Ok(Answer::ok(Format::Json.media_type(), Body::Text(body)))
}

async fn report(services: &Services) -> Result<Report, Error> {
    let (places, people) = (&services.places, &services.people);
    let mut report = Report::default();
    let (mut after, mut pages) = (String::new(), 0);
    while pages < MOST_PAGES && !report.is_complete {
        let path = format!("/internal/integrity{after}");
        let of_places = async { places.read_json::<OfPlaces>(places.get(&path).await?).await };
        let of_people = async { people.read_json::<OfPeople>(people.get(&path).await?).await };
        let (of_places, of_people) = try_join(of_places, of_people).await?;
        // Each page reaches as far as the shorter of the two.
        let through = [of_places.next, of_people.next].into_iter().flatten().min();
        let mut residents = of_people.residents;
        residents.retain(|group| through.is_none_or(|last| group.place_id <= last));
        report
            .of_no_place
            .extend(of_no_place(&of_places.places, residents));
        if pages == 0 {
            report.double_kings = of_people.double_kings;
            report.unsettled = of_people.unsettled;
            report.half_deleted = of_places.going;
        }
        match through {
            None => report.is_complete = true,
            Some(last) => after = format!("?after={last}"),
        }
        pages += 1;
    }
    confirm(services, &mut report.of_no_place).await?;
    let nobody_lives_nowhere = report.of_no_place.iter().all(|group| group.living == 0);
    report.is_sound = report.is_complete && nobody_lives_nowhere && report.double_kings.is_empty();
    Ok(report)
}

/// Keeps those whose place is missing still.
async fn confirm(services: &Services, suspects: &mut Vec<Residents>) -> Result<(), Error> {
    suspects.truncate(usize::try_from(DOUBTS_SHOWN).unwrap_or_default());
    if suspects.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = suspects
        .iter()
        .map(|group| group.place_id.to_string())
        .collect();
    let path = format!("/internal/standing?ids={}", ids.join(","));
    let places = &services.places;
    let now: Standings = places.read_json(places.get(&path).await?).await?;
    suspects.retain(|group| now.of(group.place_id) == Standing::Missing);
    Ok(())
}

/// Ends what crashes left half-done: deletions first, so that the writes that wait for them
/// can be settled or taken back, then lets go of the dead whose place is gone. With
/// `dryRun=true` it only says what it would do. Who lives in no place (which only a hand in
/// the database can bring about) is named, and is the user's to move.
///
/// # Errors
/// A query that cannot be used, or a service that failed.
pub async fn repair(call: Call) -> Result<Answer, Error> {
    let params = call.params(PARAMETERS)?;
    let dry_run = params.get::<bool>("dryRun")?.unwrap_or(false);
    let older_than = params.get::<Seconds>("olderThan")?;
    let mut services = Services::of(&call.env)?;
    services.unhurried();
    // What has been understood is sent on, not the client's own words for it.
    let older_than = older_than.map(|older_than| format!("&olderThan={}", older_than.get()));
    let path = format!(
        "/internal/repair?dryRun={dry_run}{}",
        older_than.unwrap_or_default()
    );
    let report = repaired(&services, &path, dry_run).await;
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
    let settled: Value = people.read_json(people.post(path).await?).await?;
    let found = report(services).await?;
    let (mut released, mut by_hand) = (Vec::new(), Vec::new());
    for group in found.of_no_place {
        if group.dead > 0 {
            if !dry_run {
                let path = format!("/internal/residents/{}/release", group.place_id);
                people.found(people.post(&path).await?)?;
            }
            released.push(json!({"placeId": group.place_id, "dead": group.dead}));
        }
        if group.living > 0 {
            by_hand.push(json!({
                "placeId": group.place_id,
                "living": group.living,
                "mend": "PATCH each of them with the placeId of a place that exists.",
            }));
        }
    }
    Ok(json!({
        "dryRun": dry_run,
        "deletions": done.get("deletions"),
        "unsettled": settled.get("unsettled"),
        "released": released,
        "byHand": by_hand,
    }))
}
