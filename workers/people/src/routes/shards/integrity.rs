//! This register's part of the report on integrity, the databases one behind the other.

use edge::shards::Shards;
use edge::{Answer, Body, Call, Error, Row};
use registry::integrity::{DOUBTS_SHOWN, PLACES_A_PAGE};
use registry::params::Position;
use registry::{Format, Param, PlaceId, Problem};
use serde_json::{Value, json};

use super::open;
use crate::store;

/// `GET /internal/integrity`
///
/// # Errors
/// A query that cannot be used.
pub async fn integrity(call: Call, shards: &Shards) -> Result<Answer, Error> {
    let after = call.params(&["after"])?.get::<Position>("after")?;
    let after = after.unwrap_or_default().get();
    let shard = shards.map.of(PlaceId::parse(&(after + 1).to_string()));
    let page = shards
        .database(shard)?
        .row(&store::residents(after, PLACES_A_PAGE))
        .await?;
    let page = page.ok_or_else(Problem::internal)?;
    let behind = shards.map.shards().get(shard + 1);
    let next = page.integer(1).or(behind.map(|shard| shard.first - 1));
    let (mut kings, mut unsettled) = (Vec::new(), Vec::new());
    for row in shards.rows(&store::doubts(DOUBTS_SHOWN)).await? {
        kings.extend(list(Some(&row), 0));
        unsettled.extend(list(Some(&row), 1));
    }
    let open = open::look(shards, None).await?;
    unsettled.extend(open.iter().filter_map(|one| {
        let id = one.person?;
        Some(json!({"id": id, "version": one.version, "placeId": one.place}))
    }));
    let body = json!({
        "residents": list(Some(&page), 0), "next": next,
        "doubleKings": kings, "unsettled": unsettled,
    });
    Ok(Answer::ok(
        Format::Json.media_type(),
        Body::Text(body.to_string()),
    ))
}

fn list(row: Option<&Row>, column: u32) -> Vec<Value> {
    let text = row.and_then(|row| row.text(column)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}
