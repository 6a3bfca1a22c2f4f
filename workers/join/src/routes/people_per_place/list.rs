//! A page of places with their people.
//!
//! Both services are asked at once, one D1 round trip each, and their answers merged as
//! the groups come. A page that is whole within [`HELD`] bytes has a length and, if
//! something failed, a problem in its place; a longer one is streamed. Where the
//! owner of people fails before that, the places are shown without them.

use edge::{Answer, Body, Call, Error};
use futures_util::{StreamExt, stream};
use http_semantics::media::{Frame, LIST};
use tables::{Cursor, page};

use super::half;
use super::merging::Merging;
use super::sources::{Services, unchanged};
use crate::domain::{Merge, PeoplePerPlace};

/// The bytes of a page that are gathered before its answer begins.
const HELD: usize = 256 * 1024;

/// A page of places with their people.
///
/// # Errors
/// A query that cannot be used, or the owner of places if it failed.
pub async fn list(call: Call) -> Result<Answer, Error> {
    let ask = PeoplePerPlace::read(&call.params(PeoplePerPlace::PARAMETERS)?)?;
    let format = call.format(LIST)?;
    if let Some(tag) = unchanged(&call, format).await? {
        return Ok(Answer::not_modified(&tag));
    }
    let services = Services::for_reader(&call)?;
    let (places_path, groups_path) = (ask.places_path(), ask.groups_path(ask.after));
    let paths = [places_path.as_str(), groups_path.as_str()];
    let (places, joined) = services.ask(paths, format, call.is_head()).await?;
    let places = services.places.found(places)?;
    let headers = places.headers();
    let page = services.places.bytes(&places).await?;

    let header = |name| headers.get(name).ok().flatten();
    let merge = Merge::of_page(page, format.frame());
    let merge = merge.map_err(|malformed| services.blame(malformed))?;
    let next = header("link").and_then(|_| merge.last_place()).map(|id| {
        let after = Cursor::Id(id).to_string();
        page::next_link("/v1/people-per-place", &call.query, &after)
    });
    let described = |answer: Answer| {
        let count = header("x-total-count");
        answer
            .header_if("link", next)
            .header_if("x-total-count", count)
    };
    let (media_type, frame) = (format.media_type(), format.frame());
    let joined = match joined {
        Ok(joined) => joined,
        Err(error) => return half(error, merge, media_type).map(described),
    };
    let mut merging = Merging::new(ask, merge, services, &joined.people);
    let body = if call.is_head() {
        Body::Empty
    } else {
        match begin(&mut merging).await {
            Ok(Begun::Whole(page)) => Body::Bytes(page),
            Ok(Begun::Long(start)) => go_on(start, merging, frame),
            Err(error) => return half(error, merging.into_merge(), media_type).map(described),
        }
    };
    let answer = Answer::ok(media_type, body).made_at(joined.change_seqs);
    Ok(described(answer.tagged(&joined.tag)))
}

/// A page, as far as it is gathered before its answer begins.
enum Begun {
    /// All of it.
    Whole(Vec<u8>),
    /// The start of a long one.
    Long(Vec<u8>),
}

async fn begin(merging: &mut Merging) -> Result<Begun, Error> {
    let mut held = Vec::new();
    while held.len() < HELD {
        match merging.next().await? {
            Some(more) => held.extend_from_slice(&more),
            None => return Ok(Begun::Whole(held)),
        }
    }
    Ok(Begun::Long(held))
}

fn go_on(start: Vec<u8>, mut merging: Merging, frame: Frame) -> Body {
    merging.unhurried();
    let rest = stream::try_unfold(merging, |mut merging| async move {
        Ok(merging.next().await?.map(|bytes| (bytes, merging)))
    });
    Body::stream(stream::once(async { Ok(start) }).chain(rest), frame)
}
