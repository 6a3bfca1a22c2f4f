//! An export, a part of all databases behind the other.

use edge::export::Export;
use edge::shards::{Pages, Shards, framed};
use edge::{Answer, Body, Call, Error, Row};
use futures_util::future::try_join_all;
use futures_util::{Stream, TryStreamExt, stream};
use js_sys::Uint8Array;
use registry::export::unfinished;
use registry::shards::Order;
use registry::{Cursor, Format, sql};

/// The records of a part, of each database: as many as their merge can need.
const MOST: i64 = 2_000;

/// `GET /v1/people/export`
#[must_use]
pub fn export(call: &Call, format: Format, export: Export, shards: Shards) -> Answer {
    let disposition = format!("attachment; filename=\"{}.{}\"", export.name, format.name());
    let head = call.is_head();
    let parts = parts(shards, format, export);
    let parts = parts.map_ok(|text| Uint8Array::from(text.as_bytes()));
    let body = if head {
        Body::Empty
    } else {
        Body::ended(parts, move |problem| unfinished(format, problem))
    };
    Answer::ok(format.media_type(), body).header("content-disposition", disposition)
}

fn parts(
    shards: Shards,
    format: Format,
    export: Export,
) -> impl Stream<Item = Result<String, Error>> {
    let state = (shards, export, Some(0));
    stream::try_unfold(state, move |(shards, export, after)| async move {
        let Some(after) = after else { return Ok(None) };
        let register = export.register.written(format);
        let statement = sql::keyed_part(register, (export.filters)(), after, MOST);
        let asked = (0..shards.count()).map(|shard| shards.database(shard));
        let asked = asked.collect::<Result<Vec<_>, Error>>()?;
        let rows = try_join_all(asked.into_iter().map(|one| one.row(&statement))).await?;
        let rows: Vec<Row> = rows.into_iter().flatten().collect();
        let pages = Pages::of(&rows, |row| row.integer(2) == Some(MOST));
        let merged = pages.merged(Order::Up, usize::try_from(MOST).unwrap_or(usize::MAX))?;
        if after > 0 && merged.records.is_empty() {
            return Ok(None);
        }
        // A table's first line stands before its first part alone.
        let frame = if after == 0 {
            export.register.frame(format)
        } else {
            format.frame()
        };
        let text = framed(&merged.records, frame);
        let next = merged.last.filter(|_| merged.has_more);
        let next = next.as_ref().map(Cursor::id);
        Ok(Some((text, (shards, export, next))))
    })
}
