//! Writes many people at once: a batch of an import, or a batch of operations. [`edge::import`]
//! implements the routes.

use std::cell::Cell;
use std::collections::HashSet;

use domain::PlaceId;
use domain::place_status::PlaceStatuses;
use edge::import::{self, BatchPlan, Importer};
use edge::{Database, Error, Request, Row};
use futures_util::future::try_join;
use http_semantics::Problem;
use serde_json::{Value, json};
use tables::import::{Batch, ImportOptions, ParsedRecord};
use tables::schema::PERSON;

use super::pending::{PendingWrite, PendingWrites};
use crate::domain::{Person, Residence};
use crate::store;

/// Imports people. Each attempt to write a batch is one pending write, which refers to all places
/// of the batch.
pub struct PeopleImporter {
    writes: PendingWrites,
    /// The prefix of the tokens of all pending writes of this request.
    token: String,
    /// The number of attempts, which distinguishes their tokens.
    attempts: Cell<u32>,
}

impl PeopleImporter {
    /// The importer of a request.
    ///
    /// # Errors
    /// A worker without its bindings.
    pub fn new(request: &Request) -> Result<Self, Error> {
        Ok(Self {
            writes: PendingWrites::new(&request.env)?,
            token: edge::random_token(),
            attempts: Cell::default(),
        })
    }

    /// The pending write of the current attempt.
    fn pending(&self, batch: &Batch<Person>) -> PendingWrite {
        let residences = batch.parsed.iter().map(|parsed| parsed.record.residence);
        let places: HashSet<PlaceId> = residences.filter_map(Residence::place).collect();
        let token = format!("{}.{}", self.token, self.attempts.get());
        PendingWrite::with_token(token, places.into_iter().map(PlaceId::get))
    }

    /// Plans a batch after its pending write was recorded.
    async fn plan_pending(
        &self,
        batch: &Batch<Person>,
        options: ImportOptions,
        pending: &PendingWrite,
    ) -> Result<BatchPlan, Error> {
        let places = pending.places().iter().copied().collect();
        let keys = keys(batch);
        // The write compares the versions of the stored people, so they may be read at any time.
        let (mut statuses, existing) = try_join(
            self.writes.statuses(&places),
            import::find_existing(&self.writes.database, &keys, store::existing_people),
        )
        .await?;
        statuses.active.extend(&batch.future_places);
        let changed = batch.changed_ids(options);
        let check = |parsed: &ParsedRecord<Person>, stored: Option<&Person>, row: Option<&Row>| {
            check(parsed.record.residence, stored, row, &statuses, &changed)
        };
        Ok(BatchPlan::new(batch, options.mode, &existing, check))
    }
}

/// Whether a batch has a pending write. A batch that is certain not to be written has none.
fn is_recorded(batch: &Batch<Person>, options: ImportOptions) -> bool {
    !options.dry_run && options.allows(batch.refused.len())
}

impl Importer for PeopleImporter {
    type Record = Person;

    const PARAMETERS: &'static [&'static str] = import::PARAMETERS_WITH_PLACES;

    async fn place_ids(&self, names: &[&str], create: bool) -> Result<Vec<Option<i64>>, Error> {
        self.writes.place_ids(names, create).await
    }

    fn database(&self) -> &Database {
        &self.writes.database
    }

    async fn plan(
        &self,
        batch: &Batch<Person>,
        options: ImportOptions,
    ) -> Result<BatchPlan, Error> {
        self.attempts.set(self.attempts.get() + 1);
        let pending = self.pending(batch);
        let is_recorded = is_recorded(batch, options);
        if let Some(add) = pending.add().filter(|_| is_recorded) {
            self.writes.database.batch(&[add]).await?;
        }
        let plan = self.plan_pending(batch, options, &pending).await;
        let will_be_written = plan
            .as_ref()
            .is_ok_and(|plan| options.allows(plan.rejections.len()) && !plan.is_empty());
        if !will_be_written && is_recorded {
            self.writes.remove(&pending).await;
        }
        plan
    }

    async fn discard(&self, batch: &Batch<Person>, options: ImportOptions) {
        if is_recorded(batch, options) {
            self.writes.remove(&self.pending(batch)).await;
        }
    }

    async fn write(
        &self,
        batch: &Batch<Person>,
        plan: &BatchPlan,
    ) -> Result<Option<Vec<Row>>, Error> {
        let pending = self.pending(batch);
        let mut statements = pending.commit();
        let delete = |rows: &[Value]| store::delete_all(rows, &plan.author);
        statements.extend(import::with_row_count_check(&plan.deletes, delete));
        statements.extend(import::write_statements(
            &PERSON,
            plan,
            store::update_all,
            store::insert_batch(&plan.inserts),
        ));
        match self.writes.database.batch(&statements).await {
            Ok(mut results) => Ok(results.pop()),
            Err(error) => {
                self.writes.remove(&pending).await;
                Err(error)
            }
        }
    }
}

/// The keys by which the stored people are found. A record without an id that is not a king
/// conflicts with nobody, so it has no key.
fn keys(batch: &Batch<Person>) -> Vec<Value> {
    let parsed = batch.parsed.iter().enumerate();
    let parsed =
        parsed.filter(|(_, parsed)| parsed.id.is_some() || parsed.record.residence.is_king());
    parsed
        .map(|(n, parsed)| {
            let residence = parsed.record.residence;
            let place = residence.place().map(PlaceId::get);
            json!({"n": n, "id": parsed.id, "placeId": place, "isKing": residence.is_king()})
        })
        .collect()
}

/// Checks a record against its place, and against the present king of the place.
fn check(
    residence: Residence,
    stored: Option<&Person>,
    existing: Option<&Row>,
    statuses: &PlaceStatuses,
    changed: &HashSet<i64>,
) -> Result<(), Problem> {
    if let Some(place) = residence.new_reference(stored.map(|stored| stored.residence)) {
        let place = place.get();
        Problem::check_place(place, statuses.get(place))?;
    }
    let king = existing.and_then(|row| row.integer("king_id").zip(row.text("king_name")));
    let king = king.filter(|(id, _)| !changed.contains(id));
    match king.zip(residence.place()) {
        Some(((king, name), place)) => Err(Problem::place_has_king(place.get(), king, &name)),
        None => Ok(()),
    }
}
