//! One place with its people.

use edge::{Answer, Body, Call, Error};
use futures_util::future::join;
use registry::media::Frame;
use registry::page::PeopleLimit;
use registry::{Format, PlaceId, Problem, Tag};

use super::sources::{Services, Sources};
use crate::domain::{Malformed, Merge};

/// The parameters of the query.
pub const PARAMETERS: &[&str] = &["peopleLimit"];

/// One place with its people: both services are asked at once.
///
/// # Errors
/// An id that is none, a place that does not exist, or a service that failed.
pub async fn read(call: Call) -> Result<Answer, Error> {
    let limit: Option<PeopleLimit> = call.params(PARAMETERS)?.get("peopleLimit")?;
    let id: PlaceId = call.id()?;
    let known = call.preconditions()?.known_counters(Format::Json);
    let services = Services::of(&call.env)?;
    let limit = limit.unwrap_or_default().get();
    let place_path = format!("/v1/places/{id}");
    let group_path = format!("/v1/people/by-place?placeId={id}&peopleLimit={limit}");
    let paths = [place_path.as_str(), group_path.as_str()];
    let sources = services.ask(paths, known, Format::Json, Tag::of_version, false);
    let (place, group, (tag, marks)) = match sources.await? {
        Sources::NotModified(tag) => return Ok(Answer::not_modified(&tag)),
        Sources::Found { places, .. } if places.status() == 404 => {
            return Err(Problem::not_found("place", id.get()).into());
        }
        Sources::Found {
            places,
            people,
            tag,
            marks,
        } => (services.places.found(places)?, people, (tag, marks)),
    };
    let place = services.places.bytes(&place);
    let (place, group) = join(place, services.people.bytes(&group)).await;
    let body = merged(place?, &group?).map_err(|malformed| services.blame(malformed))?;
    Ok(Answer::record(Body::Bytes(body), &tag).of_marks(marks))
}

fn merged(place: Vec<u8>, group: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut out = Vec::with_capacity(place.len() + group.len());
    let mut merge = Merge::of_one(place, Frame::NONE);
    merge.push(group, &mut out)?;
    merge.groups_end(1, &mut out)?;
    merge.finish(&mut out)?;
    Ok(out)
}
