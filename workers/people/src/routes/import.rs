//! `POST /v1/people/import`

use std::collections::HashSet;

use edge::import::{self, Importer, Plan};
use edge::shards::Shards;
use edge::{Answer, Call, Database, Error, Row};
use registry::import::{Batch, Given, Mode, Refusal};
use registry::integrity::Standings;
use registry::log::Log;
use registry::name::Name;
use registry::problem::Kind;
use registry::sql::{self, Statement};
use registry::{PlaceId, Problem};
use serde_json::{Value, json};

use super::settling::Registrar;
use super::shards;
use crate::domain::{Person, Residence};
use crate::store;

/// Takes people in from a file.
///
/// # Errors
/// A query or a file that cannot be used, or a failure before anything was written.
pub async fn import(call: Call) -> Result<Answer, Error> {
    let taker = |call: &Call| {
        let several = Shards::of(&call.env)?;
        let registrar = match &several {
            Some(shards) => Registrar::at(&call.env, shards.database(0)?.clone())?,
            None => Registrar::of(&call.env)?,
        };
        Ok(Taker {
            several: several.map(|shards| shards::Taker::of(call.clone(), shards)),
            registrar,
            call: call.clone(),
        })
    };
    import::import(call, taker).await
}

struct Taker {
    call: Call,
    /// Of the one database, or of the first.
    registrar: Registrar,
    /// Who takes in where there are several.
    several: Option<shards::Taker>,
}

impl Importer for Taker {
    type Record = Person;

    const LOG: Log = store::CHANGES;

    fn database(&self) -> &Database {
        &self.registrar.database
    }

    async fn plan(&self, batch: &Batch<Person>, mode: Mode) -> Result<Plan, Error> {
        if let Some(several) = &self.several {
            return several.plan(batch, mode).await;
        }
        let rows = || -> Vec<Value> {
            let given = batch.given.iter();
            given
                .map(|given| given.record.to_row(given.id, None))
                .collect()
        };
        let standings = self.registrar.all_standings(&places_of(batch)).await?;
        let add = |plan: &mut Plan, given: &Given<Person>, row: Value, present: Option<&Row>| {
            let present = present.map(Present::of).unwrap_or_default();
            add(plan, given, row, present, mode, &standings)
        };
        // Of the others nothing can be there yet.
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
        let present: Vec<Statement> = sql::runs(&known).into_iter().map(store::present).collect();
        let mut has_ended = false;
        loop {
            let plan = Plan::of(batch, rows(), &self.registrar.database, &present, add).await?;
            let is_pending = |refused: &Refusal| refused.problem.kind() == Kind::BeingWritten;
            if has_ended || !plan.refused.iter().any(is_pending) {
                return Ok(plan);
            }
            // Other writers have left people pending.
            for run in sql::runs(&known) {
                self.registrar.end(&store::pending_people(run)).await?;
            }
            has_ended = true;
        }
    }

    async fn end_pending(&self, (first, last): (i64, i64)) -> Result<bool, Error> {
        if self.several.is_some() {
            return Ok(false);
        }
        let pending = store::pending_changes(first, last);
        self.registrar.end(&pending).await
    }

    async fn write(&self, batch: &Batch<Person>, plan: &Plan) -> Result<(), Error> {
        if let Some(several) = &self.several {
            return several.write(batch, plan).await;
        }
        let counts = plan.counts();
        let inserts = store::insert_batch(&plan.inserts);
        let mut statements = import::statements(plan, store::CHANGES, store::update_all, inserts);
        statements.push(store::latest(counts.created + counts.updated));
        let rows = self.registrar.database.batch(&statements).await?;
        let mark = rows.last().and_then(|rows| rows.first());
        let Some(range) = mark.and_then(|row| row.integer(0).zip(row.integer(1))) else {
            return Ok(());
        };
        let referred = plan.inserts.iter().chain(&plan.updates);
        let referred = referred.filter(|row| row["isAnew"] != Value::Bool(false));
        let places = referred.filter_map(|row| row["placeId"].as_i64());
        let registrar = Registrar::of(&self.call.env)?;
        registrar
            .look_again_at_batch(&self.call, range, &places.collect())
            .await
    }
}

/// The places that a batch refers to.
#[must_use]
pub fn places_of(batch: &Batch<Person>) -> HashSet<i64> {
    let residences = batch.given.iter().map(|given| given.record.residence);
    residences
        .filter_map(|one| Some(one.place()?.get()))
        .collect()
}

/// What of the register bears on a record of an import.
#[derive(Default)]
pub struct Present {
    /// The version that the person is in, if they are there.
    pub version: Option<i64>,
    /// Whether that is unsettled.
    pub is_unsettled: bool,
    /// The person.
    pub person: Option<Person>,
    /// Whoever wears the crown that the record claims: the id and the name.
    pub king: Option<(i64, String)>,
}

impl Present {
    fn of(row: &Row) -> Self {
        let version = row.integer(1);
        Self {
            version,
            is_unsettled: row.truth(2),
            person: version.and(person_of(row, 3)),
            king: row.integer(7).zip(row.text(8)),
        }
    }
}

/// Adds a record to a plan, with what of the register bears on it.
///
/// # Errors
/// Why it cannot be written.
pub fn add(
    plan: &mut Plan,
    given: &Given<Person>,
    mut row: Value,
    present: Present,
    mode: Mode,
    standings: &Standings,
) -> Result<(), Problem> {
    let residence = given.record.residence;
    let version = present.version;
    if version.is_some() && mode == Mode::Insert {
        return Err(Problem::id_taken("person", given.id.unwrap_or_default()));
    }
    if version.is_some() && present.is_unsettled {
        return Err(Problem::being_written());
    }
    if present.person.as_ref() == Some(&given.record) {
        plan.unchanged += 1;
        return Ok(());
    }
    let before = present.person.map(|before| before.residence);
    let anew = residence.refers_anew(before);
    if let Some(anew) = anew {
        standings.check(anew.get())?;
    }
    if let Some((king, name)) = present.king {
        let place = residence.place().map(PlaceId::get).unwrap_or_default();
        return Err(Problem::place_has_king(place, king, &name));
    }
    if let (Some(version), Some(row)) = (version, row.as_object_mut()) {
        row.insert("version".to_owned(), version.into());
        row.insert("isAnew".to_owned(), anew.is_some().into());
    }
    plan.file(row, version);
    Ok(())
}

/// The person of a row, from a column on: name, whether alive, whether king, place.
#[must_use]
pub fn person_of(row: &Row, from: u32) -> Option<Person> {
    let place = row.integer(from + 3).and_then(PlaceId::new);
    let residence = match place {
        Some(place) if row.truth(from + 1) => Residence::Living {
            place,
            is_king: row.truth(from + 2),
        },
        place => Residence::Dead { place },
    };
    Some(Person {
        name: Name::new(&row.text(from)?, str::to_owned)?,
        residence,
    })
}
