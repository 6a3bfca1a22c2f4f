//! `POST /v1/places/import`

use edge::import::{self, BatchPlan, Importer};
use edge::{Database, Error, Request, Response, Row, VersionedRecord};
use http_semantics::Problem;
use serde_json::{Value, json};
use tables::Record;
use tables::import::{Batch, ImportMode, ParsedRecord};
use tables::statement::{self, Statement};

use crate::domain::Place;
use crate::store;

/// Takes places in from a file.
///
/// # Errors
/// A query or a file that cannot be used, or a failure before anything was written.
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

    async fn plan(&self, batch: &Batch<Place>, mode: ImportMode) -> Result<BatchPlan, Error> {
        let rows = batch
            .parsed
            .iter()
            .map(|parsed| parsed.record.to_row(parsed.id, None));
        let rows: Vec<Value> = rows.collect();
        let add =
            |plan: &mut BatchPlan,
             parsed: &ParsedRecord<Place>,
             row: Value,
             present: Option<&Row>| { add(plan, parsed, row, present, mode) };
        let known =
            batch.parsed.iter().enumerate().map(
                |(n, parsed)| json!({"n": n, "id": parsed.id, "key": parsed.record.name.key()}),
            );
        let known: Vec<Value> = known.collect();
        let present: Vec<Statement> = statement::chunks_by_size(&known)
            .into_iter()
            .map(store::present)
            .collect();
        BatchPlan::from_known(batch, rows, &self.0, &present, add).await
    }

    async fn write(&self, _batch: &Batch<Place>, plan: &BatchPlan) -> Result<(), Error> {
        let greatest = plan
            .inserts
            .iter()
            .filter_map(|row| row["id"].as_i64())
            .max();
        // An id that was retired meanwhile is passed over.
        let inserts =
            import::with_row_count_check(&plan.inserts, |run| store::insert_all(run, greatest));
        let statements = import::write_statements(plan, Place::table(), store::update_all, inserts);
        self.0.batch(&statements).await.map(drop)
    }
}

/// Adds a record to a plan, with what of the register bears on it.
fn add(
    plan: &mut BatchPlan,
    parsed: &ParsedRecord<Place>,
    mut row: Value,
    present: Option<&Row>,
    mode: ImportMode,
) -> Result<(), Problem> {
    let Some(present) = present else {
        plan.push(row, None);
        return Ok(());
    };
    let id = parsed.id.unwrap_or_default();
    let version = present.integer("version");
    if version.is_some() && mode == ImportMode::Insert {
        return Err(Problem::id_taken("place", id));
    }
    if present.boolean("retired") {
        return Err(Problem::id_retired(id));
    }
    if present.boolean("going") {
        return Err(Problem::place_is_deleting(id));
    }
    if let Some(other) = present.integer("other") {
        return Err(Problem::name_taken(other));
    }
    let before = version.map(|_| VersionedRecord::from_row(id, present));
    let before: Option<Place> = before
        .map(|stored| stored.record())
        .transpose()
        .map_err(Error::into_problem)?;
    if before.as_ref() == Some(&parsed.record) {
        plan.unchanged += 1;
        return Ok(());
    }
    if let (Some(version), Some(row)) = (version, row.as_object_mut()) {
        row.insert("version".to_owned(), version.into());
    }
    plan.push(row, version);
    Ok(())
}
