//! What happened, merged by its number in the log.

use edge::shards::{Pages, Shards, framed};
use edge::{Answer, Body, Call, Error, Marks, log};
use registry::media::{Frame, LIST};
use registry::page;
use registry::shards::Order;
use registry::{Cursor, PersonId, Problem};

use crate::store::CHANGES;

/// `GET /v1/people/{id}/history`
///
/// # Errors
/// A query that cannot be used, or a person who never was.
pub async fn history(call: Call, shards: &Shards) -> Result<Answer, Error> {
    let id: PersonId = call.id()?;
    let (after, limit) = log::position(&call, "after", log::HISTORY_PARAMETERS)?;
    let format = call.format(LIST)?;
    let of_one = CHANGES.of_record(id.get(), after, limit, Frame::KEYED);
    let rows = shards.rows(&of_one).await?;
    let pages = Pages::of(&rows, |row| row.truth(2));
    let merged = pages.merged(Order::Up, limit.get().into())?;
    if merged.last.is_none() && after == 0 {
        return Err(Problem::not_found("person", id.get()).into());
    }
    let path = format!("/v1/people/{id}/history");
    let next = merged.next();
    let next = next.map(|after| page::next_link(&path, &call.query, &after.to_string()));
    let body = framed(&merged.records, format.frame());
    Ok(Answer::ok(format.media_type(), Body::Text(body)).header_if("link", next))
}

/// `GET /v1/people/changes`
///
/// # Errors
/// A query that cannot be used.
pub async fn changes(call: Call, shards: &Shards) -> Result<Answer, Error> {
    let (since, limit) = log::position(&call, "since", log::FEED_PARAMETERS)?;
    let format = call.format(LIST)?;
    let rows = shards
        .rows(&CHANGES.since(since, limit, Frame::KEYED))
        .await?;
    let pages = Pages::of(&rows, |row| row.truth(2));
    let merged = pages.merged(Order::Up, limit.get().into())?;
    let next = merged.last.as_ref().map_or(since, Cursor::id);
    let link = page::since_link(
        "/v1/people/changes",
        &call.query,
        &Cursor::Id(next).to_string(),
    );
    let body = framed(&merged.records, format.frame());
    Ok(Answer::ok(format.media_type(), Body::Text(body)).header("link", link))
}

/// How far the register is: the sum of how far its databases are.
///
/// # Errors
/// A database that does not answer.
pub async fn counter(shards: &Shards) -> Result<Marks, Error> {
    let rows = shards.rows(&CHANGES.counter()).await?;
    let counters = rows.iter().filter_map(|row| row.integer(0));
    Ok([counters.sum(), 0])
}
