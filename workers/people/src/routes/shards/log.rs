//! What happened, as each database has written it down.

use edge::shards::{Pages, Shards, framed};
use edge::{Answer, Body, Call, Error, Marks, Row, log};
use registry::media::LIST;
use registry::page::{self, Limit};
use registry::shards::{Numbers, Order, Positions};
use registry::{Cursor, Param, PersonId, Problem};

use super::{asked_each, counters};
use crate::store::{share_of_changes, share_of_history};

/// `GET /v1/people/{id}/history`
///
/// # Errors
/// A query that cannot be used, or a person who never was.
pub async fn history(call: Call, shards: &Shards) -> Result<Answer, Error> {
    let id: PersonId = call.id()?;
    let (after, limit) = log::position(&call, "after", log::HISTORY_PARAMETERS)?;
    let format = call.format(LIST)?;
    let share = |shard| share_of_history(id, after, limit, Numbers::of(shard));
    let statements = (0..shards.map.shards().len()).map(share);
    let (rows, _) = asked_each(shards, statements.collect()).await?;
    let pages = Pages::of(&rows, |_| false);
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

/// `GET /v1/people/changes`: in order of time, and its cursor is how far each database was shown, so
/// that what is written meanwhile stands behind it, whatever their clocks say.
///
/// # Errors
/// A query that cannot be used.
pub async fn changes(call: Call, shards: &Shards) -> Result<Answer, Error> {
    let params = call.params(log::FEED_PARAMETERS)?;
    let since = params.get::<Cursor>("since")?;
    let wrong = || Problem::invalid_parameter("since", Cursor::EXPECTED);
    let mut positions = Positions::of(since.as_ref()).ok_or_else(wrong)?;
    let limit: Limit = params.get("limit")?.unwrap_or_default();
    let format = call.format(LIST)?;
    let share = |shard| share_of_changes(positions.seen(shard), limit, Numbers::of(shard));
    let statements = (0..shards.map.shards().len()).map(|shard| (shard, vec![share(shard)]));
    let answers = shards.run(&statements.collect::<Vec<_>>()).await?;
    let rows: Vec<Row> = answers.into_iter().flatten().flatten().collect();
    // Each gives a line more than the page has, if there is one.
    let pages = Pages::of(&rows, |_| false);
    let merged = pages.merged(Order::Up, limit.get().into())?;
    for end in merged.ends.iter().flatten() {
        positions.show(end.id());
    }
    let cursor = positions.into_cursor().to_string();
    let link = page::since_link("/v1/people/changes", &call.query, &cursor);
    let body = framed(&merged.records, format.frame());
    Ok(Answer::ok(format.media_type(), Body::Text(body)).header("link", link))
}

/// How far the register is: the sum of how far its databases are.
///
/// # Errors
/// A database that does not answer.
pub async fn counter(shards: &Shards) -> Result<Marks, Error> {
    Ok([counters(shards).await?, 0])
}
