//! The trait of all records of a table, and the statements that read one record by its primary key.

use domain::name::{Name, Normalize};
use http_semantics::Validator;
use http_semantics::actor::Actor;
use http_semantics::fields::Fields;
use http_semantics::json::Object;
use http_semantics::problem::FieldError;
use serde_json::{Map, Value};

use crate::statement::{Bind, Statement, abort_if, changed_since};
use crate::table_spec::TableSpec;

/// A record as clients send it: without its id.
pub trait Record: Sized + 'static {
    /// The table of the records.
    fn table() -> &'static TableSpec;

    /// Parses the fields except the id, and checks the rules that need no other record.
    ///
    /// # Errors
    /// All invalid fields.
    fn parse(fields: Fields, normalize: Normalize) -> Result<Self, Vec<FieldError>>;

    /// The fields that a client may change, by their JSON names.
    fn to_object(&self) -> Object;

    /// The name.
    fn name(&self) -> &Name;

    /// The value that no other record of the table may have, if there is one.
    fn unique_value(&self, normalize: Normalize) -> Option<UniqueValue>;

    /// The record without its unique value and otherwise the same, if the rules allow such a state. A
    /// batch writes it in between if two records exchange their values.
    fn without_unique_value(&self) -> Option<Self> {
        None
    }

    /// The record as a JSON row for an insert or an update by an author.
    fn to_row(
        &self,
        id: Option<i64>,
        version: Option<i64>,
        author: &Author,
        normalize: Normalize,
    ) -> Value {
        let Object(mut row) = self.to_object();
        row.insert("id".to_owned(), id.into());
        row.insert("version".to_owned(), version.into());
        author.add_to(&mut row);
        let keys = self.name().keys(normalize);
        row.insert("key".to_owned(), keys.case.into());
        row.insert("searchKey".to_owned(), keys.search.into());
        row.insert("words".to_owned(), keys.words.into());
        Value::Object(row)
    }
}

/// The author of a change: the columns `actor` and `batch` of a table and of its change log. Every
/// write sets both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Author {
    /// The name of the token. None if writes are open.
    pub actor: Option<Actor>,
    /// The id of the import or batch, if the change belongs to one.
    pub batch: Option<String>,
}

impl Author {
    /// Adds the author to a JSON row.
    pub fn add_to(&self, row: &mut Map<String, Value>) {
        let actor = self.actor.as_ref().map(Actor::as_str);
        row.insert("actor".to_owned(), actor.into());
        row.insert("batch".to_owned(), self.batch.as_deref().into());
    }

    /// The author as the value of two placeholders: `actor` and `batch`.
    #[must_use]
    pub fn binds(&self) -> [Bind; 2] {
        let actor = self.actor.as_ref().map(Actor::as_str);
        [actor.into(), self.batch.as_deref().into()]
    }
}

/// A value that only one record of the table may have. An import file is checked for duplicates.
#[derive(Debug)]
pub struct UniqueValue {
    /// The value.
    pub value: String,
    /// The field with the value.
    pub field: &'static str,
    /// The values that are valid in other records, to end the sentence "it must be …".
    pub expected: &'static str,
}

/// Reads a record for a response: a row of (body, version, `change_seq`, epoch). If there is no such
/// record, its body is null. If nothing has changed since the change sequence `seen`, there is no row.
#[must_use]
pub fn read(table: &TableSpec, id: i64, seen: Option<Validator>) -> Statement {
    const READ: &str = "
SELECT {json} AS body, version, change_seq, epoch
FROM (
    {changed}
) LEFT JOIN {table} ON id = ?1";
    let sql = READ.replace("{changed}", &changed_since("?2"));
    Statement::new(&table.sql(&sql), vec![id.into(), seen.into()])
}

/// Reads a record for a write, which needs no change sequence: a row of (body, version, epoch).
#[must_use]
pub fn read_version(table: &TableSpec, id: i64) -> Statement {
    const READ_VERSION: &str =
        "SELECT {json} AS body, version, {epoch} AS epoch FROM {table} WHERE id = ?1";
    Statement::new(&table.sql(READ_VERSION), vec![id.into()])
}

/// Reads records for a batch of writes: rows of (id, body, version, epoch).
#[must_use]
pub fn read_all(table: &TableSpec, ids: &[i64]) -> Statement {
    const READ_ALL: &str = "
SELECT id, {json} AS body, version, {epoch} AS epoch
FROM {table}
WHERE id IN (SELECT value FROM json_each(?1))";
    Statement::bind_json_rows(&table.sql(READ_ALL), ids)
}

/// Rolls back the transaction if one of these records no longer has its version. Pairs of (id,
/// version).
#[must_use]
pub fn check_versions(table: &TableSpec, versions: &[[i64; 2]]) -> Statement {
    // Uses the primary keys: one row per record.
    const HAS_CHANGED: &str = "EXISTS (
  SELECT 1
  FROM json_each(?1) AS e
  LEFT JOIN {table} ON {table}.id = e.value ->> 0
  WHERE {table}.version IS NOT e.value ->> 1
)";
    Statement::bind_json_rows(&abort_if(&table.sql(HAS_CHANGED)), versions)
}

/// Makes a write return the new state: a row of (id, version, epoch, body), or none if nothing was
/// written.
#[must_use]
pub fn returning(table: &TableSpec, mut write: Statement) -> Statement {
    const RETURNING: &str = "\nRETURNING id, version, {epoch} AS epoch, {json} AS body";
    write.sql.push_str(&table.sql(RETURNING));
    write
}
