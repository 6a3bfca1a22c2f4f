//! Reads the stored records and the places that the records of a batch refer to. A stored record is
//! found by its id, and a place by its name.

use std::collections::{HashMap, HashSet};

use domain::PlaceId;
use tables::import::{
    Batch, PlaceIds, PlaceName, RecordPosition, Refusal, StoredRecord, StoredRecords,
};
use tables::{Record, record};

use super::Importer;
use crate::collection::versioned_record::{NORMALIZE, VersionedRecord};
use crate::d1::Row;
use crate::error::Error;

/// Resolves the records of a batch.
pub(super) struct Resolver<'a, I: Importer> {
    importer: &'a I,
    batch: &'a Batch<I::Record>,
    stored: StoredRecords<I::Record>,
    /// The ids of the places, by the keys of their names.
    places: PlaceIds,
    /// The keys of the places that do not exist yet.
    missing: HashSet<String>,
}

impl<'a, I: Importer> Resolver<'a, I> {
    pub(super) fn new(importer: &'a I, batch: &'a Batch<I::Record>) -> Self {
        Self {
            importer,
            batch,
            stored: HashMap::new(),
            places: HashMap::new(),
            missing: HashSet::new(),
        }
    }

    /// The batch with complete records. With `create_places`, an id that no place has stands for
    /// each place that does not exist yet.
    ///
    /// # Errors
    /// A failure of the database or of the places service.
    pub(super) async fn resolve(&mut self, create_places: bool) -> Result<Batch<I::Record>, Error> {
        let ids = self.batch.stored_ids();
        if !ids.is_empty() {
            let read = record::read_all(I::Record::table(), &ids);
            self.stored = stored_records(&self.importer.database().rows(&read).await?)?;
        }
        let names = self.batch.place_names(&HashSet::new());
        let ids = self.place_ids(&names, false).await?;
        let mut future_places = Vec::new();
        for (name, (found, future)) in names.iter().zip(ids.into_iter().zip(future_ids())) {
            if found.is_none() && create_places {
                self.missing.insert(name.key.clone());
                future_places.push(future);
            }
            if let Some(id) = found.or(create_places.then_some(future)) {
                self.places.insert(name.key.clone(), id);
            }
        }
        let mut resolved = self.batch.resolve(&self.stored, &self.places, NORMALIZE);
        resolved.future_places = future_places;
        Ok(resolved)
    }

    /// The places to create: those of the records that are not rejected.
    pub(super) fn places_to_create(&self, rejected: &[Refusal]) -> Vec<&'a PlaceName> {
        let rejected: HashSet<RecordPosition> =
            rejected.iter().map(|refusal| refusal.position).collect();
        let names = self.batch.place_names(&rejected);
        let is_missing = |name: &&PlaceName| self.missing.contains(&name.key);
        names.into_iter().filter(is_missing).collect()
    }

    /// Creates places, and returns the batch with their ids. A place that is not created keeps the id
    /// that no place has, so its records are rejected again.
    ///
    /// # Errors
    /// A failure of the places service.
    pub(super) async fn create_places(
        &mut self,
        names: &[&PlaceName],
    ) -> Result<Batch<I::Record>, Error> {
        let ids = self.place_ids(names, true).await?;
        for (name, id) in names.iter().zip(ids) {
            if let Some(id) = id {
                self.places.insert(name.key.clone(), id);
            }
        }
        Ok(self.batch.resolve(&self.stored, &self.places, NORMALIZE))
    }

    async fn place_ids(
        &self,
        names: &[&PlaceName],
        create: bool,
    ) -> Result<Vec<Option<i64>>, Error> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let texts: Vec<&str> = names.iter().map(|name| name.name.as_str()).collect();
        self.importer.place_ids(&texts, create).await
    }
}

/// Ids that no place has: no database is large enough to assign them.
fn future_ids() -> impl Iterator<Item = i64> {
    (0..PlaceId::MAX_ID).map(|n| PlaceId::MAX_ID - n)
}

/// The records in the rows of [`record::read_all`].
fn stored_records<T: Record>(rows: &[Row]) -> Result<StoredRecords<T>, Error> {
    let mut stored = HashMap::new();
    for row in rows {
        let id = row.integer("id").unwrap_or_default();
        let found = VersionedRecord::from_row(id, row);
        let record = found.record()?;
        let version = found.version;
        stored.insert(id, StoredRecord { version, record });
    }
    Ok(stored)
}
