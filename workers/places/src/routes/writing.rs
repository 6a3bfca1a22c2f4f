//! What the writes of one place share: the place as it is, and why a write was rejection.

use domain::PlaceId;
use edge::{Database, Error, VersionedRecord};
use http_semantics::Problem;
use tables::record_statement;
use tables::schema::PLACE;

use crate::domain::Place;
use crate::store;

/// The place with an id.
///
/// # Errors
/// What D1 says.
pub async fn current(database: &Database, id: PlaceId) -> Result<Option<VersionedRecord>, Error> {
    let row = database
        .row(&record_statement::read_version(&PLACE, id.get()))
        .await?;
    Ok(row.map(|row| VersionedRecord::from_row(id.get(), &row)))
}

/// What a write that was rejection is told: a name that is taken, with who has it.
pub async fn rejection(database: &Database, error: Error, place: &Place) -> Error {
    if !error.violates_unique("place.name_key") {
        return error;
    }
    match database.row(&store::named(&place.name)).await {
        Ok(Some(row)) => Problem::name_taken(row.integer("id").unwrap_or_default()).into(),
        // The name is free again: the same request may succeed now.
        Ok(None) => Problem::being_written().into(),
        Err(error) => error,
    }
}
