//! `POST /v1/people/import`

use std::cell::Cell;
use std::collections::HashSet;

use domain::PlaceId;
use domain::place_status::PlaceStatuses;
use edge::import::{self, BatchPlan, Importer};
use edge::{Database, Error, Request, Response, Row};
use futures_util::future::try_join;
use http_semantics::Problem;
use serde_json::{Value, json};
use tables::Record;
use tables::import::{Batch, ImportMode, ImportOptions, ParsedRecord};

use crate::domain::{Person, Residence};
use crate::service::{PendingWrite, PendingWrites};
use crate::store;

/// Imports people from a file.
///
/// # Errors
/// An invalid query or file, or a failure before anything was written.
pub async fn import(request: Request) -> Result<Response, Error> {
    let importer = |request: &Request| {
        Ok(PeopleImporter {
            request: request.clone(),
            writes: PendingWrites::new(&request.env)?,
            token: edge::random_token(),
            attempts: Cell::default(),
        })
    };
    import::import(request, importer).await
}

/// Imports people. Each attempt to write a batch is one pending write, which refers to all places
/// of the batch.
struct PeopleImporter {
    request: Request,
    writes: PendingWrites,
    /// The prefix of the tokens of all pending writes of this request.
    token: String,
    /// The number of attempts, which distinguishes their tokens.
    attempts: Cell<u32>,
}

impl PeopleImporter {
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
        mode: ImportMode,
        pending: &PendingWrite,
    ) -> Result<BatchPlan, Error> {
        let places = pending.places().iter().copied().collect();
        let keys = keys(batch);
        // The write compares the versions of the stored people, so they may be read at any time.
        let (statuses, existing) = try_join(
            self.writes.statuses(&places),
            import::find_existing(&self.writes.database, &keys, store::existing_people),
        )
        .await?;
        let check = |parsed: &ParsedRecord<Person>, stored: Option<&Person>, row: Option<&Row>| {
            check(parsed.record.residence, stored, row, &statuses)
        };
        Ok(BatchPlan::new(batch, mode, &existing, check))
    }
}

impl Importer for PeopleImporter {
    type Record = Person;

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
        if let Some(add) = pending.add().filter(|_| !options.dry_run) {
            self.writes.database.batch(&[add]).await?;
        }
        let plan = self.plan_pending(batch, options.mode, &pending).await;
        let will_be_written = plan.as_ref().is_ok_and(|plan| {
            options.allows(plan.rejections.len())
                && !(plan.inserts.is_empty() && plan.updates.is_empty())
        });
        if !will_be_written && !options.dry_run {
            self.writes.roll_back(&self.request, &pending);
        }
        plan
    }

    fn discard(&self, batch: &Batch<Person>, options: ImportOptions) {
        if !options.dry_run {
            self.writes.roll_back(&self.request, &self.pending(batch));
        }
    }

    async fn write(&self, batch: &Batch<Person>, plan: &BatchPlan) -> Result<(), Error> {
        let pending = self.pending(batch);
        let mut statements = pending.commit();
        statements.extend(import::write_statements(
            plan,
            Person::table(),
            store::update_all,
            store::insert_batch(&plan.inserts),
        ));
        let written = self.writes.database.batch(&statements).await;
        if written.is_err() {
            self.writes.roll_back(&self.request, &pending);
        }
        written.map(drop)
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
) -> Result<(), Problem> {
    if let Some(place) = residence.new_reference(stored.map(|stored| stored.residence)) {
        let place = place.get();
        Problem::check_place(place, statuses.get(place))?;
    }
    let king = existing.and_then(|row| row.integer("king_id").zip(row.text("king_name")));
    match king.zip(residence.place()) {
        Some(((king, name), place)) => Err(Problem::place_has_king(place.get(), king, &name)),
        None => Ok(()),
    }
}
