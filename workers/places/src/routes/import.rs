//! `POST /v1/places/import`

use edge::import::{self, Importer, Plan};
use edge::{Answer, Call, Database, Error, Row};
use http_semantics::Problem;
use serde_json::{Value, json};
use tables::change_log::Log;
use tables::import::{Batch, Given, Mode};
use tables::statement::{self, Statement};

use crate::domain::Place;
use crate::store;

/// Takes places in from a file.
///
/// # Errors
/// A query or a file that cannot be used, or a failure before anything was written.
pub async fn import(call: Call) -> Result<Answer, Error> {
    import::import(call, |call| Ok(Taker(Database::of(&call.env)?))).await
}

struct Taker(Database);

impl Importer for Taker {
    type Record = Place;

    const LOG: Log = store::CHANGES;

    fn database(&self) -> &Database {
        &self.0
    }

    async fn plan(&self, batch: &Batch<Place>, mode: Mode) -> Result<Plan, Error> {
        let rows = batch
            .given
            .iter()
            .map(|given| given.record.to_row(given.id, None));
        let rows: Vec<Value> = rows.collect();
        let add = |plan: &mut Plan, given: &Given<Place>, row: Value, present: Option<&Row>| {
            add(plan, given, row, present, mode)
        };
        let known = batch
            .given
            .iter()
            .enumerate()
            .map(|(n, given)| json!({"n": n, "id": given.id, "key": given.record.name.key()}));
        let known: Vec<Value> = known.collect();
        let present: Vec<Statement> = statement::runs(&known)
            .into_iter()
            .map(store::present)
            .collect();
        Plan::of(batch, rows, &self.0, &present, add).await
    }

    async fn write(&self, _batch: &Batch<Place>, plan: &Plan) -> Result<(), Error> {
        let greatest = plan
            .inserts
            .iter()
            .filter_map(|row| row["id"].as_i64())
            .max();
        // An id that was retired meanwhile is passed over.
        let inserts = import::checked(&plan.inserts, |run| store::insert_all(run, greatest));
        let statements = import::statements(plan, store::CHANGES, store::update_all, inserts);
        self.0.batch(&statements).await.map(drop)
    }
}

/// Adds a record to a plan, with what of the register bears on it.
fn add(
    plan: &mut Plan,
    given: &Given<Place>,
    mut row: Value,
    present: Option<&Row>,
    mode: Mode,
) -> Result<(), Problem> {
    let Some(present) = present else {
        plan.file(row, None);
        return Ok(());
    };
    let id = given.id.unwrap_or_default();
    let version = present.integer(1);
    if version.is_some() && mode == Mode::Insert {
        return Err(Problem::id_taken("place", id));
    }
    if present.truth(4) {
        return Err(Problem::id_retired(id));
    }
    if present.truth(3) {
        return Err(Problem::place_is_going(id));
    }
    if let Some(other) = present.integer(5) {
        return Err(Problem::name_taken(other));
    }
    if present.text(2).as_deref() == Some(given.record.name.as_str()) {
        plan.unchanged += 1;
        return Ok(());
    }
    if let (Some(version), Some(row)) = (version, row.as_object_mut()) {
        row.insert("version".to_owned(), version.into());
    }
    plan.file(row, version);
    Ok(())
}
