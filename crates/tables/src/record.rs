//! A record of a table without its id, as a client sends it.

use domain::name::{Name, Normalize};
use http_semantics::fields::Fields;
use http_semantics::json::Object;
use http_semantics::problem::FieldError;
use serde_json::Value;

use crate::table_spec::TableSpec;

/// A kind of record.
pub trait Record: Sized + 'static {
    /// The table of the records.
    fn table() -> &'static TableSpec;

    /// Parses the fields but for the id, and applies the rules that hold for one record alone.
    ///
    /// # Errors
    /// Every invalid field.
    fn parse(fields: Fields, normalize: Normalize) -> Result<Self, Vec<FieldError>>;

    /// The fields that a client may change, by their JSON names.
    fn to_object(&self) -> Object;

    /// The name.
    fn name(&self) -> &Name;

    /// A value that no two records of a file may share.
    fn unique_value(&self) -> Option<UniqueValue>;

    /// The record as a row of an insert or an update.
    fn to_row(&self, id: Option<i64>, version: Option<i64>) -> Value {
        let Object(mut row) = self.to_object();
        row.insert("id".to_owned(), id.into());
        row.insert("version".to_owned(), version.into());
        row.insert("key".to_owned(), self.name().key().into());
        Value::Object(row)
    }
}

/// A value that only one record may have.
#[derive(Debug)]
pub struct UniqueValue {
    /// The value.
    pub value: String,
    /// The field that claims it.
    pub field: &'static str,
    /// What the field of another record must be.
    pub expected: &'static str,
}
