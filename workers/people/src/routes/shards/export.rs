//! An export, a part of all databases behind the other.

use edge::export::{Export, file};
use edge::shards::{Pages, Shards, framed};
use edge::{Answer, Error};
use futures_util::{Stream, stream};
use js_sys::Uint8Array;
use registry::media::Frame;
use registry::shards::Order;
use registry::{Cursor, Format};

use super::asked;

/// The records of a part, of each database: as many as their merge can need.
const MOST: i64 = 2_000;

/// `GET /v1/people/export`
#[must_use]
pub fn export(format: Format, export: Export, shards: Shards) -> Answer {
    file(export.name, format, parts(shards, format, export))
}

fn parts(
    shards: Shards,
    format: Format,
    export: Export,
) -> impl Stream<Item = Result<Uint8Array, Error>> {
    let state = (shards, export, Some(0));
    stream::try_unfold(state, move |(shards, export, after)| async move {
        let Some(after) = after else { return Ok(None) };
        let statement = export.part(format, Frame::KEYED, after, MOST);
        let (rows, _) = asked(&shards, &statement).await?;
        let pages = Pages::of(&rows, |row| row.integer(2) == Some(MOST));
        let merged = pages.merged(Order::Up, usize::try_from(MOST).unwrap_or(usize::MAX))?;
        if after > 0 && merged.records.is_empty() {
            return Ok(None);
        }
        let text = framed(&merged.records, export.frame(format, after));
        let next = merged.next().map(Cursor::id);
        Ok(Some((text.as_bytes().into(), (shards, export, next))))
    })
}
