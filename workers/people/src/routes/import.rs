//! `POST /v1/people/import`

use std::cell::Cell;
use std::collections::HashSet;

use domain::PlaceId;
use domain::place_status::PlaceStatuses;
use edge::import::{self, BatchPlan, Importer};
use edge::{Database, Error, Request, Response, Row, VersionedRecord};
use http_semantics::Problem;
use serde_json::{Value, json};
use tables::Record;
use tables::import::{Batch, ImportMode, ParsedRecord};
use tables::statement::{self, Statement};

use crate::domain::{Person, Residence};
use crate::service::{PendingWrite, PendingWrites};
use crate::store;

/// Imports people from a file.
///
/// # Errors
/// An invalid query or file, or a failure before anything was written.
pub async fn import(request: Request) -> Result<Response, Error> {
    let importer = |request: &Request| {
        let dry_run = request.params(import::PARAMETERS)?.get("dryRun")?;
        Ok(PeopleImporter {
            request: request.clone(),
            writes: PendingWrites::new(&request.env)?,
            token: edge::random_token(),
            attempts: Cell::default(),
            dry_run: dry_run.unwrap_or(false),
        })
    };
    import::import(request, importer).await
}

struct PeopleImporter {
    request: Request,
    writes: PendingWrites,
    /// Identifies the pending writes of this request.
    token: String,
    /// How many plans were made: each has a pending write of its own.
    attempts: Cell<u32>,
    dry_run: bool,
}

impl PeopleImporter {
    /// The pending write of a batch: all places that it refers to.
    fn pending(&self, batch: &Batch<Person>) -> PendingWrite {
        let residences = batch.parsed.iter().map(|parsed| parsed.record.residence);
        let places: HashSet<PlaceId> = residences.filter_map(Residence::place).collect();
        let token = format!("{}.{}", self.token, self.attempts.get());
        PendingWrite::with_token(token, places.into_iter().map(PlaceId::get))
    }
}

impl Importer for PeopleImporter {
    type Record = Person;

    fn database(&self) -> &Database {
        &self.writes.database
    }

    async fn plan(&self, batch: &Batch<Person>, mode: ImportMode) -> Result<BatchPlan, Error> {
        let rows: Vec<Value> = batch
            .parsed
            .iter()
            .map(|parsed| parsed.record.to_row(parsed.id, None))
            .collect();
        self.attempts.set(self.attempts.get() + 1);
        let pending = self.pending(batch);
        if let Some(add) = pending.add().filter(|_| !self.dry_run) {
            self.writes.database.batch(&[add]).await?;
        }
        let places = pending.places().iter().copied().collect();
        let plan = async {
            let statuses = self.writes.statuses(&places).await?;
            let add = |plan: &mut BatchPlan,
                       parsed: &ParsedRecord<Person>,
                       row: Value,
                       present: Option<&Row>| {
                add(plan, parsed, row, present, mode, &statuses)
            };
            // The other records concern nobody who exists.
            let known = batch.parsed.iter().enumerate();
            let known = known
                .filter(|(_, parsed)| parsed.id.is_some() || parsed.record.residence.is_king());
            let known: Vec<Value> = known
                .map(|(n, parsed)| {
                    let place = parsed.record.residence.place().map(PlaceId::get);
                    let is_king = parsed.record.residence.is_king();
                    json!({"n": n, "id": parsed.id, "placeId": place, "isKing": is_king})
                })
                .collect();
            let present: Vec<Statement> = statement::chunks_by_size(&known)
                .into_iter()
                .map(store::present)
                .collect();
            BatchPlan::from_known(batch, rows, &self.writes.database, &present, add).await
        };
        let plan = plan.await;
        let is_written = plan.as_ref().is_ok_and(|plan| {
            plan.rejections.is_empty() && !(plan.inserts.is_empty() && plan.updates.is_empty())
        });
        if !is_written && !self.dry_run {
            self.writes.roll_back(&self.request, &pending);
        }
        plan
    }

    async fn write(&self, batch: &Batch<Person>, plan: &BatchPlan) -> Result<(), Error> {
        let pending = self.pending(batch);
        let mut statements = pending.commit();
        let inserts = store::insert_batch(&plan.inserts);
        statements.extend(import::write_statements(
            plan,
            Person::table(),
            store::update_all,
            inserts,
        ));
        let written = self.writes.database.batch(&statements).await;
        if written.is_err() {
            self.writes.roll_back(&self.request, &pending);
        }
        written.map(drop)
    }
}

/// Adds a record to a plan.
fn add(
    plan: &mut BatchPlan,
    parsed: &ParsedRecord<Person>,
    mut row: Value,
    present: Option<&Row>,
    mode: ImportMode,
    statuses: &PlaceStatuses,
) -> Result<(), Problem> {
    let residence = parsed.record.residence;
    let place = residence.place().map(PlaceId::get);
    let version = present.and_then(|row| row.integer("version"));
    let id = parsed.id.unwrap_or_default();
    let before = version
        .and(present)
        .map(|row| VersionedRecord::from_row(id, row));
    let before: Option<Person> = before
        .map(|stored| stored.record())
        .transpose()
        .map_err(Error::into_problem)?;
    if version.is_some() && mode == ImportMode::Insert {
        return Err(Problem::id_taken("person", id));
    }
    if before.as_ref() == Some(&parsed.record) {
        plan.unchanged += 1;
        return Ok(());
    }
    let new_reference = residence.new_reference(before.map(|before| before.residence));
    if let Some(new_reference) = new_reference {
        let place = new_reference.get();
        Problem::check_place(place, statuses.get(place))?;
    }
    if let Some((king, name)) =
        present.and_then(|row| row.integer("king_id").zip(row.text("king_name")))
    {
        return Err(Problem::place_has_king(
            place.unwrap_or_default(),
            king,
            &name,
        ));
    }
    if let (Some(version), Some(row)) = (version, row.as_object_mut()) {
        row.insert("version".to_owned(), version.into());
    }
    plan.push(row, version);
    Ok(())
}
