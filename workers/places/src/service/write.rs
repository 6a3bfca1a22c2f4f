//! Writes one place. [`edge::collection`] implements the routes.

use domain::PlaceId;
use edge::collection::{Writer, Written};
use edge::{Database, Error, IdempotentRequest, NORMALIZE, Request, VersionedRecord};
use http_semantics::Problem;
use tables::Record;
use tables::record::Author;

use crate::domain::Place;
use crate::store;

/// The rules of a write of one place: its name is unique, and its id is never used again.
pub struct PlaceWriter {
    database: Database,
    author: Author,
}

impl Writer for PlaceWriter {
    type Record = Place;

    const PARAMETERS: &'static [&'static str] = &[];

    fn new(request: &Request, parameters: &'static [&'static str]) -> Result<Self, Error> {
        request.params(parameters)?;
        Ok(Self {
            database: Database::new(&request.env)?,
            author: request.env.author(),
        })
    }

    fn database(&self) -> &Database {
        &self.database
    }

    async fn insert(
        &mut self,
        id: Option<PlaceId>,
        place: &Place,
        key: Option<&IdempotentRequest>,
    ) -> Result<Option<Written>, Error> {
        if let Some(key) = key
            && let Some(stored) = key.find_response::<Place>(&self.database).await?
        {
            return Ok(Some(Written::Replayed(stored)));
        }
        let mut statements = vec![store::insert(&place.to_row(
            id.map(PlaceId::get),
            None,
            &self.author,
            NORMALIZE,
        ))];
        statements.extend(key.map(IdempotentRequest::save_response::<Place>));
        let results = self.database.batch(&statements).await?;
        let inserted = results
            .first()
            .and_then(|rows| VersionedRecord::from_returning(rows));
        match (inserted, id) {
            (Some(place), _) => Ok(Some(Written::Created(place))),
            (None, Some(id)) => Err(Problem::id_retired(id.get()).into()),
            (None, None) => Err(Problem::internal().into()),
        }
    }

    async fn update(
        &mut self,
        id: PlaceId,
        version: i64,
        _before: &Place,
        place: &Place,
    ) -> Result<Option<VersionedRecord>, Error> {
        let update =
            store::update(&place.to_row(Some(id.get()), Some(version), &self.author, NORMALIZE));
        let status = store::statuses(&format!("[{id}]"));
        let results = self.database.batch(&[update, status]).await?;
        let [updated, status] = results.as_slice() else {
            return Err(Problem::internal().into());
        };
        match status.first() {
            Some(row) if updated.is_empty() && row.boolean("is_deleting") => {
                Err(Problem::place_is_deleting(id.get()).into())
            }
            _ => Ok(VersionedRecord::from_returning(updated)),
        }
    }

    /// The name of another place.
    async fn violation(&self, error: Error, place: &Place) -> Error {
        if !error.violates_unique("place.name_key") {
            return error;
        }
        match self
            .database
            .row(&store::place_with_name(&place.name.case_key(NORMALIZE)))
            .await
        {
            Ok(Some(row)) => match row.integer("id") {
                Some(id) => Problem::name_taken(id).into(),
                None => Problem::internal().into(),
            },
            // The other place has lost the name, so a retry may succeed.
            Ok(None) => Problem::being_written().into(),
            Err(error) => error,
        }
    }
}
