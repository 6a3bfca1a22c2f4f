//! Writes many places at once: a batch of an import, or a batch of operations. [`edge::import`]
//! implements the routes.

use std::cell::RefCell;
use std::collections::HashSet;

use edge::import::{self, BatchPlan, Importer};
use edge::{Database, Env, Error, Request, Row};
use http_semantics::Problem;
use serde_json::{Value, json};
use tables::import::{Batch, ImportOptions, ParsedRecord, Refusal, Removal};
use tables::schema::PLACE;

use super::reservation::Reservation;
use crate::domain::Place;
use crate::store;

/// Imports places.
pub struct PlaceImporter {
    env: Env,
    database: Database,
    /// The places that a batch of operations deletes.
    reservation: RefCell<Reservation>,
}

impl PlaceImporter {
    /// The importer of a request.
    ///
    /// # Errors
    /// A worker without its bindings.
    pub fn new(request: &Request) -> Result<Self, Error> {
        Ok(Self {
            env: request.env.clone(),
            database: Database::new(&request.env)?,
            reservation: RefCell::default(),
        })
    }

    /// Reserves the places to delete, if nothing else prevents the batch.
    async fn reserve(&self, removals: &[Removal], plan: &mut BatchPlan) -> Result<(), Error> {
        let begun = Reservation::begin(&self.env, &self.database, removals).await?;
        let (reservation, obstacles) = begun;
        for (id, problem) in obstacles {
            let removal = removals.iter().find(|removal| removal.id == id);
            plan.rejections.extend(removal.map(|removal| Refusal {
                position: removal.position,
                problem,
            }));
        }
        self.reservation.replace(reservation);
        Ok(())
    }
}

impl Importer for PlaceImporter {
    type Record = Place;

    fn database(&self) -> &Database {
        &self.database
    }

    async fn plan(&self, batch: &Batch<Place>, options: ImportOptions) -> Result<BatchPlan, Error> {
        let parsed = batch.parsed.iter().enumerate();
        let keys: Vec<Value> = parsed
            .map(|(n, parsed)| {
                let key = parsed.record.name.case_key(edge::NORMALIZE);
                json!({"n": n, "id": parsed.id, "key": key})
            })
            .collect();
        let existing = import::find_existing(&self.database, &keys, store::existing_places).await?;
        let changed = batch.changed_ids(options);
        let check = |parsed: &ParsedRecord<Place>, _: Option<&Place>, row: Option<&Row>| {
            check(parsed, row, &changed)
        };
        let mut plan = BatchPlan::new(batch, options.mode, &existing, check);
        if plan.rejections.is_empty() && !options.dry_run {
            self.reserve(&batch.removals, &mut plan).await?;
        }
        Ok(plan)
    }

    async fn write(
        &self,
        _batch: &Batch<Place>,
        plan: &BatchPlan,
    ) -> Result<Option<Vec<Row>>, Error> {
        let reservation = self.reservation.take();
        let ids = plan.inserts.iter().filter_map(|row| row["id"].as_i64());
        let max_id = ids.max();
        // The insert skips an id that was retired after the plan. Then the row count differs, and
        // the batch is rolled back and planned again.
        let inserts =
            import::with_row_count_check(&plan.inserts, |rows| store::insert_all(rows, max_id));
        let mut statements = reservation.delete(&plan.author);
        statements.extend(import::write_statements(
            &PLACE,
            plan,
            store::update_all,
            inserts,
        ));
        match self.database.batch(&statements).await {
            Ok(mut results) => {
                reservation.detach_dead(&self.env, &self.database).await;
                Ok(results.pop())
            }
            Err(error) => {
                reservation.cancel(&self.database).await;
                Err(error)
            }
        }
    }
}

/// Checks a record against the stored places that have its id or name.
fn check(
    parsed: &ParsedRecord<Place>,
    existing: Option<&Row>,
    changed: &HashSet<i64>,
) -> Result<(), Problem> {
    let Some(existing) = existing else {
        return Ok(());
    };
    let id = parsed.id.unwrap_or_default();
    if existing.boolean("is_retired") {
        return Err(Problem::id_retired(id));
    }
    if existing.boolean("is_deleting") {
        return Err(Problem::place_is_deleting(id));
    }
    let same_name = existing.integer("same_name_id");
    match same_name.filter(|id| !changed.contains(id)) {
        Some(other) => Err(Problem::name_taken(other)),
        None => Ok(()),
    }
}
