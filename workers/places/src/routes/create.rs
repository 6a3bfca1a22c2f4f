//! `POST /v1/places`

use edge::{Database, Error, JSON, Keyed, Request, Response, Stored, record_of};
use http_semantics::Problem;
use tables::Record;

use super::writing::refused;
use crate::domain::Place;
use crate::store;

/// Adds a place under the next id.
///
/// # Errors
/// A body that is no place, a name that is taken, or a key that came with another request.
pub async fn create(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    let (object, body) = request.object(JSON).await?;
    let place: Place = record_of(object, None)?;
    let keyed = Keyed::of(&request, "POST /places", &body)?;
    let database = Database::of(&request.env)?;
    let mut statements = vec![store::insert(&place.to_row(None, None))];
    if let Some(keyed) = &keyed {
        if let Some(kept) = keyed.find_response(&database).await? {
            return Ok(kept.replayed::<Place>());
        }
        statements.push(keyed.save_response::<Place>());
    }
    let written = match database.batch(&statements).await {
        Ok(results) => results.first().and_then(|rows| Stored::written(rows)),
        Err(error) => {
            // The same request may have been faster, and have the name, too.
            if let Some(keyed) = &keyed
                && let Some(kept) = keyed.find_response(&database).await?
            {
                return Ok(kept.replayed::<Place>());
            }
            return Err(refused(&database, error, &place).await);
        }
    };
    let written = written.ok_or_else(Problem::internal)?;
    Ok(written.into_created::<Place>())
}
