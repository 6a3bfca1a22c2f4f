//! `PUT` and `PATCH /v1/places/{id}`

use domain::PlaceId;
use edge::{Answer, Call, Database, Error, JSON, MERGE_PATCH, Stored, TRIES, record_of};
use http_semantics::Problem;
use tables::Record;

use super::writing::{current, refused};
use crate::domain::Place;
use crate::store;

/// Puts a place in the place of one with this id, or adds one under it.
///
/// # Errors
/// A body that is no place, a precondition that is not met, a name that is taken.
pub async fn put(call: Call) -> Result<Answer, Error> {
    call.params(&[])?;
    let id: PlaceId = call.id()?;
    let preconditions = call.preconditions()?;
    let (object, _) = call.object(JSON).await?;
    let place: Place = record_of(object, Some(id.get()))?;
    let database = Database::of(&call.env)?;
    for _ in 0..TRIES {
        let current = current(&database, id).await?;
        preconditions.check(current.as_ref().map(|now| now.version))?;
        let answer = match current {
            Some(current) => apply(&database, id, current, &place).await?,
            None => add(&database, id, &place).await?,
        };
        if let Some(answer) = answer {
            return Ok(answer);
        }
    }
    Err(Problem::being_written().into())
}

/// Changes some fields of a place (RFC 7396).
///
/// # Errors
/// As [`put`], and a place that does not exist.
pub async fn patch(call: Call) -> Result<Answer, Error> {
    call.params(&[])?;
    let id: PlaceId = call.id()?;
    let preconditions = call.preconditions()?;
    let (patch, _) = call.object(MERGE_PATCH).await?;
    let database = Database::of(&call.env)?;
    for _ in 0..TRIES {
        let current = current(&database, id).await?;
        let current = current.ok_or_else(|| Problem::not_found("place", id.get()))?;
        preconditions.check(Some(current.version))?;
        let before: Place = current.record()?;
        let object = before.to_object().merge_patched(patch.clone());
        let place: Place = record_of(object, Some(id.get()))?;
        if let Some(answer) = apply(&database, id, current, &place).await? {
            return Ok(answer);
        }
    }
    Err(Problem::being_written().into())
}

/// Writes the place over the current one; none if somebody else was faster.
async fn apply(
    database: &Database,
    id: PlaceId,
    current: Stored,
    place: &Place,
) -> Result<Option<Answer>, Error> {
    if current.record::<Place>()? == *place {
        return Ok(Some(current.into_answer()));
    }
    let update = store::update(&place.to_row(Some(id.get()), Some(current.version)));
    let standing = store::statuses(&format!("[{id}]"));
    let results = match database.batch(&[update, standing]).await {
        Ok(results) => results,
        Err(error) => return Err(refused(database, error, place).await),
    };
    let mut results = results.iter();
    if let Some(written) = results.next().and_then(|rows| Stored::written(rows)) {
        return Ok(Some(written.into_answer()));
    }
    match results.next().and_then(|rows| rows.first()) {
        Some(row) if row.truth("is_deleting") => Err(Problem::place_is_deleting(id.get()).into()),
        _ => Ok(None),
    }
}

/// Adds the place under the id; none if somebody else was faster.
async fn add(database: &Database, id: PlaceId, place: &Place) -> Result<Option<Answer>, Error> {
    if !id.is_choosable() {
        let expected = http_semantics::fields::EXPECTED_CHOICE;
        return Err(Problem::invalid_parameter("id", expected).into());
    }
    let insert = store::insert(&place.to_row(Some(id.get()), None));
    let results = match database.batch(&[insert]).await {
        Ok(results) => results,
        Err(error) if error.is_unique("place.id") => return Ok(None),
        Err(error) => return Err(refused(database, error, place).await),
    };
    match results.first().and_then(|rows| Stored::written(rows)) {
        Some(written) => Ok(Some(written.into_created::<Place>())),
        None => Err(Problem::id_retired(id.get()).into()),
    }
}
