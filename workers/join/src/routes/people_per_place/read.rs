//! One place with its people.

use domain::PlaceId;
use edge::{Answer, Body, Call, Error};
use futures_util::future::join;
use http_semantics::media::Frame;
use http_semantics::{Format, Problem, Tag};
use tables::page::PeopleLimit;

use super::half;
use super::sources::Services;
use crate::domain::{Malformed, Merge};

/// The parameters of the query.
pub const PARAMETERS: &[&str] = &["peopleLimit"];

/// One place with its people: both services are asked at once. Where the owner of people fails,
/// the place is shown without them.
///
/// # Errors
/// An id that is none, a place that does not exist, or the owner of places if it failed.
pub async fn read(call: Call) -> Result<Answer, Error> {
    let limit: Option<PeopleLimit> = call.params(PARAMETERS)?.get("peopleLimit")?;
    let id: PlaceId = call.id()?;
    let known = call.preconditions()?.known_counters(Format::Json);
    let services = Services::for_reader(&call)?;
    let limit = limit.unwrap_or_default().get();
    let place_path = format!("/v1/places/{id}");
    let group_path = format!("/v1/people/by-place?placeId={id}&peopleLimit={limit}");
    let paths = [place_path.as_str(), group_path.as_str()];
    let (place, joined) = match known {
        None => services.ask(paths, Format::Json, false).await?,
        Some(known) => {
            let [version, counter] = known;
            let tags = [
                Tag::of_version(version),
                Tag::of_list(Format::Json, &[counter]),
            ];
            let Some(found) = services.ask_unless(paths, &tags).await? else {
                return Ok(Answer::not_modified(&Tag::of_list(Format::Json, &known)));
            };
            found
        }
    };
    if place.status() == 404 {
        return Err(Problem::not_found("place", id.get()).into());
    }
    let place = services.places.found(place)?;
    let place = services.places.bytes(&place);
    let group = async {
        let joined = joined?;
        let group = services.people.bytes(&joined.people).await?;
        Ok::<_, Error>((group, joined))
    };
    let (place, group) = join(place, group).await;
    let place = place?;
    let whole = group.and_then(|(group, joined)| {
        let body = merged(place.clone(), &group).map_err(|malformed| services.blame(malformed))?;
        Ok(Answer::record(Body::Bytes(body), &joined.tag).made_at(joined.change_seqs))
    });
    whole.or_else(|error| {
        let place = Merge::of_one(place, Frame::NONE);
        half(error, place, Format::Json.media_type())
    })
}

fn merged(place: Vec<u8>, group: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut out = Vec::with_capacity(place.len() + group.len());
    let mut merge = Merge::of_one(place, Frame::NONE);
    merge.push(group, &mut out)?;
    merge.groups_end(1, &mut out)?;
    merge.finish(&mut out)?;
    Ok(out)
}
