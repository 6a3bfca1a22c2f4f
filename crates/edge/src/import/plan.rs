//! The plan of a batch: which records are inserted, updated, unchanged or rejected.

use http_semantics::Problem;
use serde_json::Value;
use tables::Record;
use tables::import::{Batch, Counts, ImportMode, ParsedRecord, Receipt, Refusal};
use tables::record::Author;
use tables::statement::{self, Statement};
use tables::table_spec::TableSpec;

use crate::collection::versioned_record::{NORMALIZE, VersionedRecord};
use crate::d1::{Database, Row};
use crate::error::Error;

/// The plan of a batch.
#[derive(Default)]
pub struct BatchPlan {
    /// The rows to insert.
    pub inserts: Vec<Value>,
    /// The rows to update, each with its current version.
    pub updates: Vec<Value>,
    /// The number of records that already have the wanted values.
    pub unchanged: usize,
    /// The lines that cannot be written.
    pub rejections: Vec<Refusal>,
    /// The receipt of the batch, if it inserts records.
    pub receipt: Option<NewReceipt>,
}

/// The receipt that a batch saves.
pub struct NewReceipt {
    pub(super) receipt: Receipt,
    /// The number of changes that it covers: the last ones of the batch.
    pub(super) changes: i64,
}

impl BatchPlan {
    /// Plans a batch. `existing` has the rows of [`find_existing`]. `check` checks one record
    /// against the rules of its table. It gets the stored record with the same id, if there is one,
    /// and the row of `existing`.
    #[must_use]
    pub fn new<T: Record + PartialEq>(
        batch: &Batch<T>,
        mode: ImportMode,
        existing: &[Option<Row>],
        check: impl Fn(&ParsedRecord<T>, Option<&T>, Option<&Row>) -> Result<(), Problem>,
    ) -> Self {
        let mut plan = Self {
            unchanged: batch.already_added.len(),
            rejections: batch.refused.clone(),
            ..Self::default()
        };
        for (n, parsed) in batch.parsed.iter().enumerate() {
            let existing = existing.get(n).and_then(Option::as_ref);
            if let Err(problem) = plan.add(parsed, mode, existing, &check) {
                let position = parsed.position;
                plan.rejections.push(Refusal { position, problem });
            }
        }
        plan
    }

    /// Adds a record: an insert, an update, or neither if the stored record is equal.
    fn add<T: Record + PartialEq>(
        &mut self,
        parsed: &ParsedRecord<T>,
        mode: ImportMode,
        existing: Option<&Row>,
        check: impl Fn(&ParsedRecord<T>, Option<&T>, Option<&Row>) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let id = parsed.id.unwrap_or_default();
        let version = existing.and_then(|row| row.integer("version"));
        if version.is_some() && mode == ImportMode::Insert {
            return Err(Problem::id_taken(T::table().declaration.singular, id));
        }
        let stored = version
            .and(existing)
            .map(|row| VersionedRecord::from_row(id, row).record::<T>())
            .transpose()
            .map_err(Error::into_problem)?;
        check(parsed, stored.as_ref(), existing)?;
        if stored.as_ref() == Some(&parsed.record) {
            self.unchanged += 1;
            return Ok(());
        }
        // The import sets the author of all rows ([`Self::set_author`]).
        let author = Author::default();
        let row = parsed.record.to_row(parsed.id, version, &author, NORMALIZE);
        match version {
            Some(_) => self.updates.push(row),
            None => self.inserts.push(row),
        }
        Ok(())
    }

    /// Sets the author of all rows.
    pub(super) fn set_author(&mut self, author: &Author) {
        let rows = self.inserts.iter_mut().chain(&mut self.updates);
        for row in rows.filter_map(Value::as_object_mut) {
            author.add_to(row);
        }
    }

    /// The numbers of inserted, updated and unchanged records.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let count = |number: usize| i64::try_from(number).unwrap_or_default();
        Counts {
            created: count(self.inserts.len()),
            updated: count(self.updates.len()),
            unchanged: count(self.unchanged),
        }
    }
}

/// Finds the stored records that a batch refers to, by their position in the batch: the column `n`.
/// `find` makes the statement for as many `keys` as fit into one.
///
/// # Errors
/// A failure of the database.
pub async fn find_existing(
    database: &Database,
    keys: &[Value],
    find: fn(&[Value]) -> Statement,
) -> Result<Vec<Option<Row>>, Error> {
    let mut existing = Vec::new();
    for chunk in statement::chunks_by_size(keys) {
        let rows = database.rows(&find(chunk)).await?;
        for row in rows {
            let Some(n) = row.integer("n").and_then(|n| usize::try_from(n).ok()) else {
                continue;
            };
            existing.resize_with(existing.len().max(n + 1), || None);
            if let Some(slot) = existing.get_mut(n) {
                *slot = Some(row);
            }
        }
    }
    Ok(existing)
}

/// The statements that write a batch: its updates, its inserts and its receipt. `update` makes the
/// statement for as many rows as fit into one.
#[must_use]
pub fn write_statements(
    plan: &BatchPlan,
    table: &TableSpec,
    update: fn(&[Value]) -> Statement,
    inserts: Vec<Statement>,
) -> Vec<Statement> {
    let mut statements = with_row_count_check(&plan.updates, update);
    statements.extend(inserts);
    if let Some(new) = &plan.receipt {
        statements.extend(new.receipt.delete_invalid(table));
        statements.push(new.receipt.save(table, plan.counts(), new.changes));
    }
    statements
}

/// The statements that write rows. If one of them writes fewer rows than it should, the whole batch
/// is rolled back.
#[must_use]
pub fn with_row_count_check(
    rows: &[Value],
    write: impl Fn(&[Value]) -> Statement,
) -> Vec<Statement> {
    let mut statements = Vec::new();
    for chunk in statement::chunks_by_size(rows) {
        let count = i64::try_from(chunk.len()).unwrap_or_default();
        statements.push(write(chunk));
        statements.push(Statement::new(CHECK_ROW_COUNT, vec![count.into()]));
    }
    statements
}

/// If the statement before did not write this number of rows, this one violates a constraint, which
/// rolls back the batch. It must not write several rows: SQLite would begin a savepoint for it, at
/// which FTS5 writes the search index, and `changes()` would count its rows.
const CHECK_ROW_COUNT: &str = "UPDATE schema SET id = 2 WHERE id = 1 AND changes() <> ?1";
