//! One place with its people.

use edge::{Answer, Body, Call, Error};
use futures_util::future::join;
use registry::media::Frame;
use registry::page::PeopleLimit;
use registry::{Format, PlaceId, Problem};

use super::{people, places};
use crate::domain::{Malformed, Merge};

/// One place with its people: both services are asked at once.
///
/// # Errors
/// An id that is none, a place that does not exist, or a service that failed.
pub async fn read(call: Call) -> Result<Answer, Error> {
    let limit: Option<PeopleLimit> = call.params(&["peopleLimit"])?.get("peopleLimit")?;
    let id: PlaceId = call.id()?;
    let (places, people) = (places(&call.env)?, people(&call.env)?);
    let place_path = format!("/v1/places/{id}");
    let limit = limit.unwrap_or_default().get();
    let group_path = format!("/v1/people/by-place?placeId={id}&peopleLimit={limit}");
    let place = async {
        let place = places.get(&place_path, Format::Json.media_type()).await?;
        match place.status() {
            404 => Err(Problem::not_found("place", id.get()).into()),
            _ => places.bytes(&places.found(place)?).await,
        }
    };
    let group = async {
        let group = people
            .read(&group_path, Format::NdJson.media_type())
            .await?;
        people.bytes(&group).await
    };
    let (place, group) = join(place, group).await;
    let body = merged(place?, &group?).map_err(|malformed| people.failed(malformed.0))?;
    Ok(Answer::ok(Format::Json.media_type(), Body::Bytes(body)))
}

fn merged(place: Vec<u8>, group: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut out = Vec::with_capacity(place.len() + group.len());
    let mut merge = Merge::new(place, Frame::NONE);
    merge.push(group, &mut out)?;
    merge.finish(&mut out)?;
    Ok(out)
}
