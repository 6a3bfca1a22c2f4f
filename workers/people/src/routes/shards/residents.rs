//! What the owner of places asks and has done when it deletes a place whose people may go to another
//! database.

use edge::shards::Shards;
use edge::{Call, Database, Error, Row};
use registry::{PlaceId, Problem};
use serde_json::{Value, json};

use super::handover::Handover;
use crate::store::handover::{self as store, Fence, Going};
use crate::store::known;
use crate::store::{count as counted, fenced};

/// The most people who are handed over together.
const TOGETHER: i64 = 1_000;

/// The database of a place.
fn home(shards: &Shards, place: PlaceId) -> Result<&Database, Error> {
    shards.database(shards.map.of(Some(place)))
}

/// How many belong to a place.
///
/// # Errors
/// What D1 says.
pub async fn count(shards: &Shards, place: PlaceId) -> Result<Option<Row>, Error> {
    home(shards, place)?.row(&counted(place)).await
}

/// Moves living people, as many as go together, and counts who is left. Who would come back to the
/// place stays counted until that is settled: their database is not the other place's.
///
/// # Errors
/// What D1 says.
pub async fn relocate(
    call: &Call,
    shards: &Shards,
    from: PlaceId,
    to: PlaceId,
    token: i64,
) -> Result<Option<Row>, Error> {
    let (here, there) = (shards.map.of(Some(from)), shards.map.of(Some(to)));
    let database = shards.database(here)?;
    if here == there {
        let done = database
            .batch(&crate::store::relocate(from, to, token))
            .await?;
        return Ok(done
            .into_iter()
            .last()
            .and_then(|rows| rows.into_iter().next()));
    }
    let mut first = fenced(from, token).to_vec();
    first.push(known::movable(from.get(), TOGETHER));
    let results = database.batch(&first).await?;
    let people = results.last().map(Vec::as_slice).unwrap_or_default();
    if !people.is_empty() {
        let who: Vec<(i64, i64)> = people
            .iter()
            .filter_map(|row| row.integer(0).zip(row.integer(1)))
            .collect();
        let arrivals = people
            .iter()
            .enumerate()
            .map(|(n, row)| (there, arrival(n, row, to)));
        let handover = Handover::moving(here, arrivals);
        let peer = shards
            .map
            .shards()
            .get(there)
            .ok_or_else(Problem::internal)?;
        let go = Going {
            to: &peer.binding,
            count: who.len(),
            leaving: &who,
            fence: Some(Fence {
                place: from.get(),
                token,
            }),
        };
        let leave = store::leave(&handover.token, &go);
        match move_together(call, shards, &handover, &leave).await {
            // Somebody has been written meanwhile: the next round takes them as they are then.
            Ok(()) | Err(Error::Unique(_)) => {}
            Err(error) => return Err(error),
        }
    }
    database.row(&counted(from)).await
}

async fn move_together(
    call: &Call,
    shards: &Shards,
    handover: &Handover,
    leave: &[registry::sql::Statement],
) -> Result<(), Error> {
    handover.prepare(shards).await?;
    // The other place is held by the deletion: it needs no look.
    let decided = handover.decide(shards, leave).await?;
    if decided.first().is_none_or(Vec::is_empty) {
        // Another deletion has taken over, and moves them itself.
        return handover.withdraw(shards).await;
    }
    handover.arrive(shards, None).await?;
    handover.forget_behind(call, shards)
}

/// The crown is of the place: it does not go along.
fn arrival(n: usize, row: &Row, to: PlaceId) -> Value {
    let name = row.text(2).unwrap_or_default();
    json!({
        "n": n, "id": row.integer(0), "version": row.integer(1).unwrap_or_default() + 1,
        "key": registry::name::key(&name), "name": name,
        "isAlive": true, "isKing": false, "placeId": to.get(),
    })
}

/// Lets go of the dead of a place that is gone, and counts who is left: they stay where they are.
///
/// # Errors
/// What D1 says.
pub async fn release(shards: &Shards, place: PlaceId) -> Result<Option<Row>, Error> {
    let done = home(shards, place)?
        .batch(&crate::store::release(place))
        .await?;
    Ok(done
        .into_iter()
        .last()
        .and_then(|rows| rows.into_iter().next()))
}
