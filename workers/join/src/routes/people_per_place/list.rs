//! A page of places with their people.
//!
//! Both services are asked at once, one D1 round trip each, and their answers merged as
//! the groups come. A page that is whole within [`HELD`] bytes has a length and, if
//! something failed, a problem in its place; a longer one is streamed.

use edge::{Answer, Body, Call, Error};
use futures_util::future::try_join;
use futures_util::{StreamExt, TryStreamExt, stream};
use js_sys::Uint8Array;
use registry::{Cursor, Format, page};
use wasm_bindgen::JsValue;
use wasm_streams::ReadableStream;
use worker::console_error;

use super::merging::Merging;
use super::{people, places};
use crate::domain::{Merge, PeoplePerPlace};

/// The bytes of a page that are gathered before its answer begins.
const HELD: usize = 256 * 1024;

/// A page of places with their people.
///
/// # Errors
/// A query that cannot be used, or a service that failed.
pub async fn list(call: Call) -> Result<Answer, Error> {
    let ask = PeoplePerPlace::read(&call.params(PeoplePerPlace::PARAMETERS)?)?;
    let format = call.format();
    let (places, people) = (places(&call.env)?, people(&call.env)?);
    let lines = Format::NdJson.media_type();
    let (places_path, groups_path) = (ask.places_path(), ask.groups_path(ask.after));
    let page = async {
        let page = places.read(&places_path, lines).await?;
        let bytes = places.bytes(&page).await?;
        Ok::<_, Error>((page.headers(), bytes))
    };
    let ((headers, page), groups) = try_join(page, people.read(&groups_path, lines)).await?;

    let header = |name| headers.get(name).ok().flatten();
    let merge = Merge::new(page, format.frame());
    let next = header("link").and_then(|_| merge.last_place()).map(|id| {
        let after = Cursor::Id(id).to_string();
        page::next_link("/v1/people-per-place", &call.query, &after)
    });
    let body = body(Merging::new(ask, merge, people, &groups)).await?;
    Ok(Answer::ok(format.media_type(), body)
        .header("vary", "accept")
        .header_if("link", next)
        .header_if("x-total-count", header("x-total-count")))
}

async fn body(mut merging: Merging) -> Result<Body, Error> {
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
    let bytes = stream::once(async { Ok(held) })
        .chain(rest)
        .map_ok(|bytes| JsValue::from(Uint8Array::from(bytes.as_slice())))
        .map_err(|error| to_thrown(&error));
    Ok(Body::Js(
        ReadableStream::from_stream(bytes).into_raw().into(),
    ))
}

/// A stream that breaks off tells its reader so: the connection ends without its end.
fn to_thrown(error: &Error) -> JsValue {
    console_error!("{error}");
    js_sys::Error::new("the page broke off").into()
}
