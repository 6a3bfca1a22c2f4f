//! `POST /v1/places`

use edge::{
    Database, Error, IdempotentRequest, JSON, Request, Response, VersionedRecord, parse_record,
};
use http_semantics::Problem;
use tables::Record;

use super::writing::rejection;
use crate::domain::Place;
use crate::store;

/// Adds a place under the next id.
///
/// # Errors
/// A body that is no place, a name that is taken, or a key that came with another request.
pub async fn create(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    let (object, body) = request.json_object(JSON).await?;
    let place: Place = parse_record(object, None)?;
    let keyed = IdempotentRequest::new(&request, "POST /places", &body)?;
    let database = Database::new(&request.env)?;
    let mut statements = vec![store::insert(&place.to_row(None, None))];
    if let Some(keyed) = &keyed {
        if let Some(kept) = keyed.find_response(&database).await? {
            return Ok(kept.replayed_response::<Place>());
        }
        statements.push(keyed.save_response::<Place>());
    }
    let written = match database.batch(&statements).await {
        Ok(results) => results
            .first()
            .and_then(|rows| VersionedRecord::from_returning(rows)),
        Err(error) => {
            // The same request may have been faster, and have the name, too.
            if let Some(keyed) = &keyed
                && let Some(kept) = keyed.find_response(&database).await?
            {
                return Ok(kept.replayed_response::<Place>());
            }
            return Err(rejection(&database, error, &place).await);
        }
    };
    let written = written.ok_or_else(Problem::internal)?;
    Ok(written.created_response::<Place>())
}
