//! The plan of a batch: which records are inserted, updated, unchanged or rejected.

use http_semantics::Problem;
use serde_json::Value;
use tables::Record;
use tables::import::{Batch, Counts, ParsedRecord, Receipt, Refusal};
use tables::statement::{self, Statement};
use tables::table_spec::TableSpec;

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
    /// Adds a row: an update if the record exists in a version, or else an insert.
    pub fn push(&mut self, row: Value, version: Option<i64>) {
        match version {
            Some(_) => self.updates.push(row),
            None => self.inserts.push(row),
        }
    }

    /// Plans a batch. The statements `known` return the stored records that the batch refers to,
    /// with their position `n` in the batch. `add` adds one record to the plan.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn from_known<T: Record>(
        batch: &Batch<T>,
        rows: Vec<Value>,
        database: &Database,
        known: &[Statement],
        add: impl Fn(&mut Self, &ParsedRecord<T>, Value, Option<&Row>) -> Result<(), Problem>,
    ) -> Result<Self, Error> {
        let mut found = Vec::new();
        for statement in known {
            found.append(&mut database.rows(statement).await?);
        }
        let mut stored: Vec<Option<&Row>> = vec![None; batch.parsed.len()];
        for row in &found {
            let position = row.integer("n").and_then(|n| usize::try_from(n).ok());
            if let Some(slot) = position.and_then(|n| stored.get_mut(n)) {
                *slot = Some(row);
            }
        }
        let mut plan = Self {
            unchanged: batch.already_added.len(),
            rejections: batch.refused.clone(),
            ..Self::default()
        };
        for ((parsed, row), stored) in batch.parsed.iter().zip(rows).zip(stored) {
            let position = parsed.position;
            if let Err(problem) = add(&mut plan, parsed, row, stored) {
                plan.rejections.push(Refusal { position, problem });
            }
        }
        Ok(plan)
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

/// If the statement before did not write this number of rows, this one inserts the same key twice.
/// That violates the primary key and rolls back the batch.
const CHECK_ROW_COUNT: &str = "
INSERT INTO idempotency (key, fingerprint, body)
SELECT 'twice', '', '' FROM (VALUES (1), (2)) WHERE changes() <> ?1";
