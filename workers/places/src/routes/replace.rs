//! `PUT` and `PATCH /v1/places/{id}`

use domain::PlaceId;
use edge::{
    Database, Error, JSON, MAX_WRITE_ATTEMPTS, MERGE_PATCH, Request, Response, VersionedRecord,
    parse_record,
};
use http_semantics::Problem;
use tables::Record;

use super::writing::{current, rejection};
use crate::domain::Place;
use crate::store;

/// Puts a place in the place of one with this id, or adds one under it.
///
/// # Errors
/// A body that is no place, a precondition that is not met, a name that is taken.
pub async fn put(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    let id: PlaceId = request.id()?;
    let preconditions = request.preconditions()?;
    let (object, _) = request.json_object(JSON).await?;
    let place: Place = parse_record(object, Some(id.get()))?;
    let database = Database::new(&request.env)?;
    for _ in 0..MAX_WRITE_ATTEMPTS {
        let current = current(&database, id).await?;
        preconditions.check(current.as_ref().map(|now| now.version))?;
        let response = match current {
            Some(current) => apply(&database, id, current, &place).await?,
            None => add(&database, id, &place).await?,
        };
        if let Some(response) = response {
            return Ok(response);
        }
    }
    Err(Problem::being_written().into())
}

/// Changes some fields of a place (RFC 7396).
///
/// # Errors
/// As [`put`], and a place that does not exist.
pub async fn patch(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    let id: PlaceId = request.id()?;
    let preconditions = request.preconditions()?;
    let (patch, _) = request.json_object(MERGE_PATCH).await?;
    let database = Database::new(&request.env)?;
    for _ in 0..MAX_WRITE_ATTEMPTS {
        let current = current(&database, id).await?;
        let current = current.ok_or_else(|| Problem::not_found("place", id.get()))?;
        preconditions.check(Some(current.version))?;
        let before: Place = current.record()?;
        let object = before.to_object().patched(patch.clone());
        let place: Place = parse_record(object, Some(id.get()))?;
        if let Some(response) = apply(&database, id, current, &place).await? {
            return Ok(response);
        }
    }
    Err(Problem::being_written().into())
}

/// Writes the place over the current one; none if somebody else was faster.
async fn apply(
    database: &Database,
    id: PlaceId,
    current: VersionedRecord,
    place: &Place,
) -> Result<Option<Response>, Error> {
    if current.record::<Place>()? == *place {
        return Ok(Some(current.into_response()));
    }
    let update = store::update(&place.to_row(Some(id.get()), Some(current.version)));
    let standing = store::statuses(&format!("[{id}]"));
    let results = match database.batch(&[update, standing]).await {
        Ok(results) => results,
        Err(error) => return Err(rejection(database, error, place).await),
    };
    let mut results = results.iter();
    if let Some(written) = results
        .next()
        .and_then(|rows| VersionedRecord::from_returning(rows))
    {
        return Ok(Some(written.into_response()));
    }
    match results.next().and_then(|rows| rows.first()) {
        Some(row) if row.boolean("is_deleting") => Err(Problem::place_is_going(id.get()).into()),
        _ => Ok(None),
    }
}

/// Adds the place under the id; none if somebody else was faster.
async fn add(database: &Database, id: PlaceId, place: &Place) -> Result<Option<Response>, Error> {
    if !id.is_choosable() {
        let expected = http_semantics::fields::EXPECTED_CHOICE;
        return Err(Problem::invalid_parameter("id", expected).into());
    }
    let insert = store::insert(&place.to_row(Some(id.get()), None));
    let results = match database.batch(&[insert]).await {
        Ok(results) => results,
        Err(error) if error.violates_unique("place.id") => return Ok(None),
        Err(error) => return Err(rejection(database, error, place).await),
    };
    match results
        .first()
        .and_then(|rows| VersionedRecord::from_returning(rows))
    {
        Some(written) => Ok(Some(written.created_response::<Place>())),
        None => Err(Problem::id_retired(id.get()).into()),
    }
}
