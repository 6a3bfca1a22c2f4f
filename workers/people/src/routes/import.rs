//! `POST /v1/people/import`

use std::cell::Cell;
use std::collections::HashSet;

use domain::PlaceId;
use domain::name::Name;
use domain::place_status::PlaceStatuses;
use edge::import::{self, Importer, Plan};
use edge::{Answer, Call, Database, Error, Row};
use http_semantics::Problem;
use serde_json::{Value, json};
use tables::change_log::Log;
use tables::import::{Batch, Given, Mode};
use tables::statement::{self, Statement};

use crate::domain::{Person, Residence};
use crate::service::{PendingWrite, PendingWrites};
use crate::store;

/// Imports people from a file.
///
/// # Errors
/// An invalid query or file, or a failure before anything was written.
pub async fn import(call: Call) -> Result<Answer, Error> {
    let importer = |call: &Call| {
        let dry_run = call.params(import::PARAMETERS)?.get("dryRun")?;
        Ok(PeopleImporter {
            call: call.clone(),
            writes: PendingWrites::new(&call.env)?,
            token: edge::random_token(),
            attempts: Cell::default(),
            dry_run: dry_run.unwrap_or(false),
        })
    };
    import::import(call, importer).await
}

struct PeopleImporter {
    call: Call,
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
        let residences = batch.given.iter().map(|given| given.record.residence);
        let places: HashSet<PlaceId> = residences.filter_map(Residence::place).collect();
        let token = format!("{}.{}", self.token, self.attempts.get());
        PendingWrite::with_token(token, places.into_iter().map(PlaceId::get))
    }
}

impl Importer for PeopleImporter {
    type Record = Person;

    const LOG: Log = store::CHANGES;

    fn database(&self) -> &Database {
        &self.writes.database
    }

    async fn plan(&self, batch: &Batch<Person>, mode: Mode) -> Result<Plan, Error> {
        let rows: Vec<Value> = batch
            .given
            .iter()
            .map(|given| given.record.to_row(given.id, None))
            .collect();
        self.attempts.set(self.attempts.get() + 1);
        let pending = self.pending(batch);
        if let Some(add) = pending.add().filter(|_| !self.dry_run) {
            self.writes.database.batch(&[add]).await?;
        }
        let places = pending.places().iter().copied().collect();
        let plan = async {
            let statuses = self.writes.statuses(&places).await?;
            let add =
                |plan: &mut Plan, given: &Given<Person>, row: Value, present: Option<&Row>| {
                    add(plan, given, row, present, mode, &statuses)
                };
            // The other records concern nobody who exists.
            let known = batch.given.iter().enumerate();
            let known =
                known.filter(|(_, given)| given.id.is_some() || given.record.residence.is_king());
            let known: Vec<Value> = known
                .map(|(n, given)| {
                    let place = given.record.residence.place().map(PlaceId::get);
                    let is_king = given.record.residence.is_king();
                    json!({"n": n, "id": given.id, "placeId": place, "isKing": is_king})
                })
                .collect();
            let present: Vec<Statement> = statement::runs(&known)
                .into_iter()
                .map(store::present)
                .collect();
            Plan::of(batch, rows, &self.writes.database, &present, add).await
        };
        let plan = plan.await;
        let is_written = plan.as_ref().is_ok_and(|plan| {
            plan.refused.is_empty() && !(plan.inserts.is_empty() && plan.updates.is_empty())
        });
        if !is_written && !self.dry_run {
            self.writes.roll_back(&self.call, &pending);
        }
        plan
    }

    async fn write(&self, batch: &Batch<Person>, plan: &Plan) -> Result<(), Error> {
        let pending = self.pending(batch);
        let mut statements = pending.commit();
        let inserts = store::insert_batch(&plan.inserts);
        statements.extend(import::statements(
            plan,
            store::CHANGES,
            store::update_all,
            inserts,
        ));
        let written = self.writes.database.batch(&statements).await;
        if written.is_err() {
            self.writes.roll_back(&self.call, &pending);
        }
        written.map(drop)
    }
}

/// Adds a record to a plan.
fn add(
    plan: &mut Plan,
    given: &Given<Person>,
    mut row: Value,
    present: Option<&Row>,
    mode: Mode,
    statuses: &PlaceStatuses,
) -> Result<(), Problem> {
    let residence = given.record.residence;
    let place = residence.place().map(PlaceId::get);
    let version = present.and_then(|row| row.integer(1));
    let before = version.and(present).and_then(person_of);
    if version.is_some() && mode == Mode::Insert {
        return Err(Problem::id_taken("person", given.id.unwrap_or_default()));
    }
    if before.as_ref() == Some(&given.record) {
        plan.unchanged += 1;
        return Ok(());
    }
    let new_reference = residence.new_reference(before.map(|before| before.residence));
    if let Some(new_reference) = new_reference {
        let place = new_reference.get();
        Problem::check_place(place, statuses.get(place))?;
    }
    if let Some((king, name)) = present.and_then(|row| row.integer(6).zip(row.text(7))) {
        return Err(Problem::place_has_king(
            place.unwrap_or_default(),
            king,
            &name,
        ));
    }
    if let (Some(version), Some(row)) = (version, row.as_object_mut()) {
        row.insert("version".to_owned(), version.into());
    }
    plan.file(row, version);
    Ok(())
}

/// The person that an import would change.
fn person_of(row: &Row) -> Option<Person> {
    let place = row.integer(5).and_then(PlaceId::new);
    let residence = match place {
        Some(place) if row.truth(3) => Residence::Living {
            place,
            is_king: row.truth(4),
        },
        place => Residence::Dead { place },
    };
    Some(Person {
        name: Name::new(&row.text(2)?, str::to_owned)?,
        residence,
    })
}
