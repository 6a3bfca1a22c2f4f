//! `POST /v1/places/import`

use edge::import::{self, BatchPlan, Importer};
use edge::{Database, Error, Request, Response, Row};
use http_semantics::Problem;
use serde_json::{Value, json};
use tables::Record;
use tables::import::{Batch, ImportOptions, ParsedRecord};

use crate::domain::Place;
use crate::store;

/// Imports places from a file.
///
/// # Errors
/// An invalid query or file, or a failure before anything was written.
pub async fn import(request: Request) -> Result<Response, Error> {
    import::import(request, |request| {
        Ok(PlaceImporter(Database::new(&request.env)?))
    })
    .await
}

struct PlaceImporter(Database);

impl Importer for PlaceImporter {
    type Record = Place;

    fn database(&self) -> &Database {
        &self.0
    }

    async fn plan(&self, batch: &Batch<Place>, options: ImportOptions) -> Result<BatchPlan, Error> {
        let parsed = batch.parsed.iter().enumerate();
        let keys: Vec<Value> = parsed
            .map(|(n, parsed)| {
                let key = parsed.record.name.case_key(edge::NORMALIZE);
                json!({"n": n, "id": parsed.id, "key": key})
            })
            .collect();
        let existing = import::find_existing(&self.0, &keys, store::existing_places).await?;
        Ok(BatchPlan::new(batch, options.mode, &existing, check))
    }

    async fn write(&self, _batch: &Batch<Place>, plan: &BatchPlan) -> Result<(), Error> {
        let ids = plan.inserts.iter().filter_map(|row| row["id"].as_i64());
        let max_id = ids.max();
        // The insert skips an id that was retired after the plan. Then the row count differs, and
        // the batch is rolled back and planned again.
        let inserts =
            import::with_row_count_check(&plan.inserts, |rows| store::insert_all(rows, max_id));
        let statements = import::write_statements(plan, Place::table(), store::update_all, inserts);
        self.0.batch(&statements).await.map(drop)
    }
}

/// Checks a record against the stored places that have its id or name.
fn check(
    parsed: &ParsedRecord<Place>,
    _stored: Option<&Place>,
    existing: Option<&Row>,
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
    match existing.integer("same_name_id") {
        Some(other) => Err(Problem::name_taken(other)),
        None => Ok(()),
    }
}
