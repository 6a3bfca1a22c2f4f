//! Plans a batch: decides for each record whether it is inserted, updated, unchanged or rejected.

use http_semantics::Problem;
use serde_json::{Value, json};
use tables::import::{
    self, Batch, Counts, ImportMode, ParsedRecord, RecordPosition, Refusal, Removal, Update,
};
use tables::record::Author;
use tables::statement::{self, Statement, check_row_count};
use tables::{Record, TableSpec, record};

use crate::collection::versioned_record::{NORMALIZE, VersionedRecord};
use crate::d1::{Database, Row};
use crate::error::Error;

/// The plan of a batch.
#[derive(Default)]
pub struct BatchPlan {
    /// The rows to delete, each with its current version.
    pub deletes: Vec<Value>,
    /// The rows to update, each with its current version, in steps that follow each other.
    pub updates: Vec<Vec<Value>>,
    /// The number of records to update.
    updated: usize,
    /// The rows to insert.
    pub inserts: Vec<Value>,
    /// The ids and versions of the records that already have the wanted values.
    pub unchanged: Vec<[i64; 2]>,
    /// The number of records that an earlier import has added.
    already_added: usize,
    /// The lines that cannot be written.
    pub rejections: Vec<Refusal>,
    /// The author of all changes.
    pub author: Author,
    /// The statements at the end of the transaction.
    pub last: Vec<Statement>,
}

impl BatchPlan {
    /// Plans a batch. `existing` has the rows of [`find_existing`]. `check` checks one record
    /// against the rules of its table. It gets the stored record with the same id, if there is one,
    /// and the row of `existing`.
    ///
    /// The rules hold after the batch, so a record may take the unique value of another one that
    /// gives it up.
    #[must_use]
    pub fn new<T: Record + PartialEq>(
        batch: &Batch<T>,
        mode: ImportMode,
        existing: &[Option<Row>],
        check: impl Fn(&ParsedRecord<T>, Option<&T>, Option<&Row>) -> Result<(), Problem>,
    ) -> Self {
        let mut plan = Self {
            already_added: batch.already_added.len(),
            rejections: batch.refused.clone(),
            ..Self::default()
        };
        let removals = batch.removals.iter();
        let delete = |removal: &Removal| json!({"id": removal.id, "version": removal.version});
        plan.deletes = removals.map(delete).collect();
        let mut updates = Vec::new();
        for (n, parsed) in batch.parsed.iter().enumerate() {
            let existing = existing.get(n).and_then(Option::as_ref);
            match plan.add(parsed, mode, existing, &check) {
                Ok(update) => updates.extend(update),
                Err(problem) => plan.reject(parsed.position, problem),
            }
        }
        plan.updated = updates.len();
        let (steps, stuck) = import::steps(updates);
        plan.updates = steps;
        plan.exchange(stuck);
        plan
    }

    fn reject(&mut self, position: RecordPosition, problem: Problem) {
        self.rejections.push(Refusal { position, problem });
    }

    /// Adds a record: an insert, an update, or neither if the stored record is equal.
    fn add<T: Record + PartialEq>(
        &mut self,
        parsed: &ParsedRecord<T>,
        mode: ImportMode,
        existing: Option<&Row>,
        check: impl Fn(&ParsedRecord<T>, Option<&T>, Option<&Row>) -> Result<(), Problem>,
    ) -> Result<Option<Update>, Problem> {
        let id = parsed.id.unwrap_or_default();
        let version = existing.and_then(|row| row.integer("version"));
        if version.is_some() && mode == ImportMode::Insert && parsed.version.is_none() {
            return Err(Problem::id_taken(T::table().declaration.singular, id));
        }
        let stored = version
            .and(existing)
            .map(|row| VersionedRecord::from_row(id, row).record::<T>())
            .transpose()
            .map_err(Error::into_problem)?;
        check(parsed, stored.as_ref(), existing)?;
        // The row of a record that was made from an older version is not written, even if the record
        // now has the wanted values.
        let is_latest = parsed.version.is_none_or(|read| Some(read) == version);
        let is_unchanged = is_latest && stored.as_ref() == Some(&parsed.record);
        let version = parsed.version.or(version);
        if let (Some(version), true) = (version, is_unchanged) {
            self.unchanged.push([id, version]);
            return Ok(None);
        }
        // The caller sets the author of all rows ([`Self::set_author`]).
        let author = Author::default();
        let row = parsed.record.to_row(parsed.id, version, &author, NORMALIZE);
        let Some(version) = version else {
            self.inserts.push(row);
            return Ok(None);
        };
        let unique = |record: &T| Some(record.unique_value(NORMALIZE)?.value);
        let without = stored.as_ref().and_then(T::without_unique_value);
        Ok(Some(Update {
            position: parsed.position,
            version,
            row,
            before: stored.as_ref().and_then(unique),
            after: unique(&parsed.record),
            without: without
                .map(|record| record.to_row(parsed.id, Some(version), &author, NORMALIZE)),
        }))
    }

    /// Plans updates that exchange their unique values: they give them up in a step of its own, which
    /// adds a version. Records that cannot be without their value are rejected.
    fn exchange(&mut self, stuck: Vec<Update>) {
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for mut update in stuck {
            match (update.before, update.without) {
                (None, _) => with.push(update.row),
                (Some(_), Some(row)) => {
                    if let Some(row) = update.row.as_object_mut() {
                        row.insert("version".to_owned(), (update.version + 1).into());
                    }
                    without.push(row);
                    with.push(update.row);
                }
                (Some(_), None) => self.reject(update.position, Problem::name_exchanged()),
            }
        }
        let steps = [without, with].into_iter().filter(|rows| !rows.is_empty());
        self.updates.extend(steps);
    }

    /// Whether nothing would be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.deletes.is_empty() && self.updates.is_empty() && self.inserts.is_empty()
    }

    /// The number of changes in the change log.
    #[must_use]
    pub fn changes(&self) -> usize {
        let updates: usize = self.updates.iter().map(Vec::len).sum();
        self.deletes.len() + updates + self.inserts.len()
    }

    /// Sets the author of all changes.
    pub(super) fn set_author(&mut self, author: &Author) {
        self.author = author.clone();
        let updates = self.updates.iter_mut().flatten();
        let rows = self.inserts.iter_mut().chain(updates);
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
            updated: count(self.updated),
            unchanged: count(self.unchanged.len() + self.already_added),
        }
    }
}

/// Finds the stored records that a batch refers to, by their position in the batch: the column `n`.
/// `find` makes the statement for as many `keys` as fit into one. All records are read at one moment.
///
/// # Errors
/// A failure of the database.
pub async fn find_existing(
    database: &Database,
    keys: &[Value],
    find: fn(&[Value]) -> Statement,
) -> Result<Vec<Option<Row>>, Error> {
    let mut existing = Vec::new();
    let chunks = statement::chunks_by_size(keys).into_iter();
    let statements: Vec<Statement> = chunks.map(find).collect();
    if statements.is_empty() {
        return Ok(existing);
    }
    for row in database.batch(&statements).await?.into_iter().flatten() {
        let Some(n) = row.integer("n").and_then(|n| usize::try_from(n).ok()) else {
            continue;
        };
        existing.resize_with(existing.len().max(n + 1), || None);
        if let Some(slot) = existing.get_mut(n) {
            *slot = Some(row);
        }
    }
    Ok(existing)
}

/// The statements that write a batch: the check of its unchanged records, its updates and its
/// inserts, and the last ones. If a record that was found unchanged has changed since, the whole batch
/// is rolled back. `update` makes the statement for as many rows as fit into one.
#[must_use]
pub fn write_statements(
    table: &TableSpec,
    plan: &BatchPlan,
    update: fn(&[Value]) -> Statement,
    inserts: Vec<Statement>,
) -> Vec<Statement> {
    let has_unchanged = !plan.unchanged.is_empty();
    let check = has_unchanged.then(|| record::check_versions(table, &plan.unchanged));
    let updates = plan.updates.iter();
    let updates = updates.flat_map(|rows| with_row_count_check(rows, update));
    check
        .into_iter()
        .chain(updates)
        .chain(inserts)
        .chain(plan.last.iter().cloned())
        .collect()
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
        statements.push(check_row_count(count));
    }
    statements
}
