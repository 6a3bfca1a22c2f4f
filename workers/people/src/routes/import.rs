//! `POST /v1/people/import`

use std::collections::HashSet;

use edge::import::{self, Importer, Plan};
use edge::{Answer, Call, Database, Error, Row};
use registry::import::{Batch, Given, Mode};
use registry::integrity::Standings;
use registry::name::Name;
use registry::sql::{self, Statement};
use registry::{PlaceId, Problem};
use serde_json::{Value, json};

use super::settling::Registrar;
use crate::domain::{Person, Residence};
use crate::store;

/// Takes people in from a file.
///
/// # Errors
/// A query or a file that cannot be used, or a failure before anything was written.
pub async fn import(call: Call) -> Result<Answer, Error> {
    let taker = |call: &Call| {
        Ok(Taker {
            registrar: Registrar::of(&call.env)?,
            call: call.clone(),
        })
    };
    import::import(call, taker).await
}

struct Taker {
    call: Call,
    registrar: Registrar,
}

impl Importer for Taker {
    type Record = Person;

    const WRITTEN: &'static str = store::WRITTEN;

    fn database(&self) -> &Database {
        &self.registrar.database
    }

    async fn plan(&self, batch: &Batch<Person>, mode: Mode) -> Result<Plan, Error> {
        let rows: Vec<Value> = batch
            .given
            .iter()
            .map(|given| given.record.to_row(given.id, None))
            .collect();
        let places = batch
            .given
            .iter()
            .filter_map(|given| given.record.residence.place());
        let places: HashSet<i64> = places.map(PlaceId::get).collect();
        let standings = self.registrar.all_standings(&places).await?;
        let add = |plan: &mut Plan, given: &Given<Person>, row: Value, present: Option<&Row>| {
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
        Plan::of(batch, rows, &self.registrar.database, &present, add).await
    }

    async fn write(&self, batch: &Batch<Person>, plan: &Plan) -> Result<(), Error> {
        let key = import::key(&batch.fingerprint);
        let counts = plan.counts();
        let begun = import::begun(&batch.fingerprint, plan, store::update_all);
        let mut statements = vec![store::forget_batch(&key)];
        statements.extend(begun);
        statements.extend(store::insert_batch(&plan.inserts));
        statements.push(store::mark(&key, counts.created + counts.updated));
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

/// Adds a record to a plan, with what of the register bears on it.
fn add(
    plan: &mut Plan,
    given: &Given<Person>,
    mut row: Value,
    present: Option<&Row>,
    mode: Mode,
    standings: &Standings,
) -> Result<(), Problem> {
    let residence = given.record.residence;
    let place = residence.place().map(PlaceId::get);
    let version = present.and_then(|row| row.integer(1));
    let before = version.and(present).and_then(person_of);
    if version.is_some() && mode == Mode::Insert {
        return Err(Problem::id_taken("person", given.id.unwrap_or_default()));
    }
    if version.is_some() && present.is_some_and(|row| row.truth(2)) {
        return Err(Problem::being_written());
    }
    if before.as_ref() == Some(&given.record) {
        plan.unchanged += 1;
        return Ok(());
    }
    let anew = residence.refers_anew(before.map(|before| before.residence));
    if let Some(anew) = anew {
        standings.check(anew.get())?;
    }
    if let Some((king, name)) = present.and_then(|row| row.integer(7).zip(row.text(8))) {
        return Err(Problem::place_has_king(
            place.unwrap_or_default(),
            king,
            &name,
        ));
    }
    if let (Some(version), Some(row)) = (version, row.as_object_mut()) {
        row.insert("version".to_owned(), version.into());
        row.insert("isAnew".to_owned(), anew.is_some().into());
    }
    plan.file(row, version);
    Ok(())
}

/// The person whom an import would change.
fn person_of(row: &Row) -> Option<Person> {
    let place = row.integer(6).and_then(PlaceId::new);
    let residence = match place {
        Some(place) if row.truth(4) => Residence::Living {
            place,
            is_king: row.truth(5),
        },
        place => Residence::Dead { place },
    };
    Some(Person {
        name: Name::new(&row.text(3)?, str::to_owned)?,
        residence,
    })
}
