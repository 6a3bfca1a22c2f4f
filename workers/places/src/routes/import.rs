//! `POST /v1/places/import`

use std::collections::BTreeMap;

use edge::import::{self, Importer};
use edge::{Answer, Call, Database, Error, Row};
use registry::Problem;
use registry::import::{Batch, Counts, Done, Given, Mode, Outcome, Refusal};
use serde_json::Value;

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

/// What is to be done with the records of a batch.
#[derive(Default)]
struct Plan {
    inserts: Vec<Value>,
    updates: Vec<Value>,
    unchanged: usize,
    refused: Vec<Refusal>,
}

impl Importer for Taker {
    type Record = Place;

    fn database(&self) -> &Database {
        &self.0
    }

    async fn write(&self, batch: &Batch<Place>, mode: Mode, dry_run: bool) -> Result<Done, Error> {
        let plan = self.plan(batch, mode).await?;
        if !plan.refused.is_empty() {
            return Ok(Done::refused(plan.refused));
        }
        let count = |number: usize| i64::try_from(number).unwrap_or_default();
        let counts = Counts {
            created: count(plan.inserts.len()),
            updated: count(plan.updates.len()),
            unchanged: count(plan.unchanged),
        };
        if dry_run {
            return Ok(Done::well(Outcome::WouldBeWritten, counts));
        }
        let numbers = [plan.inserts.len(), plan.updates.len(), plan.unchanged];
        let statements = [
            store::update(&plan.updates),
            import::remember(&batch.fingerprint, numbers),
            store::insert(&plan.inserts),
        ];
        self.0.batch(&statements).await?;
        Ok(Done::well(Outcome::Written, counts))
    }
}

impl Taker {
    async fn plan(&self, batch: &Batch<Place>, mode: Mode) -> Result<Plan, Error> {
        let rows = batch
            .given
            .iter()
            .map(|given| given.record.to_row(given.id, None));
        let rows: Vec<Value> = rows.collect();
        let found = self.0.rows(&store::present(&rows)).await?;
        let present: BTreeMap<usize, &Row> = found
            .iter()
            .filter_map(|row| Some((usize::try_from(row.integer(0)?).ok()?, row)))
            .collect();
        let mut plan = Plan {
            refused: batch.refused.clone(),
            ..Plan::default()
        };
        for ((n, given), row) in batch.given.iter().enumerate().zip(rows) {
            let line = given.line;
            if let Err(problem) = plan.add(given, row, present.get(&n).copied(), mode) {
                plan.refused.push(Refusal { line, problem });
            }
        }
        Ok(plan)
    }
}

impl Plan {
    /// Adds a record, with what of the register bears on it.
    fn add(
        &mut self,
        given: &Given<Place>,
        mut row: Value,
        present: Option<&Row>,
        mode: Mode,
    ) -> Result<(), Problem> {
        let Some(present) = present else {
            self.inserts.push(row);
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
            self.unchanged += 1;
            return Ok(());
        }
        if let (Some(version), Some(row)) = (version, row.as_object_mut()) {
            row.insert("version".to_owned(), version.into());
        }
        match version {
            Some(_) => self.updates.push(row),
            None => self.inserts.push(row),
        }
        Ok(())
    }
}
