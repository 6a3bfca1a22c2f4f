//! A page of places with their people.
//!
//! Both services are asked at once, one D1 round trip each, and their answers merged as
//! the groups come. A page that is whole within [`HELD`] bytes has a length and, if
//! something failed, a problem in its place; a longer one is streamed.

use edge::{Answer, Body, Call, Error};
use futures_util::{StreamExt, stream};
use registry::media::{Frame, LIST};
use registry::{Cursor, Format, Tag, page};

use super::merging::Merging;
use super::sources::{Services, Sources};
use crate::domain::{Merge, PeoplePerPlace};

/// The bytes of a page that are gathered before its answer begins.
const HELD: usize = 256 * 1024;

/// A page of places with their people.
///
/// # Errors
/// A query that cannot be used, or a service that failed.
pub async fn list(call: Call) -> Result<Answer, Error> {
    let ask = PeoplePerPlace::read(&call.params(PeoplePerPlace::PARAMETERS)?)?;
    let format = call.format(LIST)?;
    let known = call.preconditions()?.known_counters(format);
    let services = Services::of(&call.env)?;
    let (places_path, groups_path) = (ask.places_path(), ask.groups_path(ask.after));
    let paths = [places_path.as_str(), groups_path.as_str()];
    let places_tag = |counter| Tag::of_list(Format::Json, &[counter]);
    let sources = services.ask(paths, known, format, places_tag, call.is_head());
    let (places, groups, (tag, marks)) = match sources.await? {
        Sources::NotModified(tag) => {
            return Ok(Answer::not_modified(&tag));
        }
        Sources::Found {
            places,
            people,
            tag,
            marks,
        } => (services.places.found(places)?, people, (tag, marks)),
    };
    let headers = places.headers();
    let page = services.places.bytes(&places).await?;

    let header = |name| headers.get(name).ok().flatten();
    let merge = Merge::of_page(page, format.frame());
    let merge = merge.map_err(|malformed| services.blame(malformed))?;
    let next = header("link").and_then(|_| merge.last_place()).map(|id| {
        let after = Cursor::Id(id).to_string();
        page::next_link("/v1/people-per-place", &call.query, &after)
    });
    let body = if call.is_head() {
        Body::Empty
    } else {
        let merging = Merging::new(ask, merge, services, &groups);
        body(merging, format.frame()).await?
    };
    Ok(Answer::ok(format.media_type(), body)
        .of_marks(marks)
        .tagged(&tag)
        .header_if("link", next)
        .header_if("x-total-count", header("x-total-count")))
}

async fn body(mut merging: Merging, frame: Frame) -> Result<Body, Error> {
    let mut held = Vec::new();
    while held.len() < HELD {
        match merging.next().await? {
            Some(more) => held.extend_from_slice(&more),
            None => return Ok(Body::Bytes(held)),
        }
    }
    let rest = stream::try_unfold(merging, |mut merging| async move {
        Ok(merging.next().await?.map(|bytes| (bytes, merging)))
    });
    Ok(Body::stream(
        stream::once(async { Ok(held) }).chain(rest),
        frame,
    ))
}
