//! One place with its people.

use edge::{Answer, Body, Call, Error};
use futures_util::future::join;
use registry::media::Frame;
use registry::page::PeopleLimit;
use registry::{Format, PlaceId, Problem};

use super::merging::Services;
use super::{people, places};
use crate::domain::{Malformed, Merge};

/// One place with its people: both services are asked at once.
///
/// # Errors
/// An id that is none, a place that does not exist, or a service that failed.
pub async fn read(call: Call) -> Result<Answer, Error> {
    let limit: Option<PeopleLimit> = call.params(&["peopleLimit"])?.get("peopleLimit")?;
    let id: PlaceId = call.id()?;
    let services = Services {
        places: places(&call.env)?,
        people: people(&call.env)?,
    };
    let Services { places, people } = &services;
    let place_path = format!("/v1/places/{id}");
    let limit = limit.unwrap_or_default().get();
    let group_path = format!("/v1/people/by-place?placeId={id}&peopleLimit={limit}");
    let place = async {
        let place = places.get(&place_path).await?;
        match place.status() {
            404 => Err(Problem::not_found("place", id.get()).into()),
            _ => places.bytes(&places.found(place)?).await,
        }
    };
    let group = async { people.bytes(&people.read(&group_path).await?).await };
    let (place, group) = join(place, group).await;
    let body = merged(place?, &group?).map_err(|malformed| services.blame(malformed))?;
    Ok(Answer::ok(Format::Json.media_type(), Body::Bytes(body)))
}

fn merged(place: Vec<u8>, group: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut out = Vec::with_capacity(place.len() + group.len());
    let mut merge = Merge::of_one(place, Frame::NONE);
    merge.push(group, &mut out)?;
    merge.groups_end(1, &mut out)?;
    merge.finish(&mut out)?;
    Ok(out)
}
