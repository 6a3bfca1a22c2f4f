//! The specification of a table. [`crate::schema`] declares the columns and filters of each table.
//! The SQL for inserts, updates, the change log, JSON and CSV is derived from this declaration.
//! Imports use it, too.

mod column;
mod render;

use crate::page::PAGE_PARAMETERS;
use crate::statement::EPOCH;

pub use column::{Access, BooleanFilter, Column, ColumnType, Filter, FilterKind};

/// The declaration of a table.
#[derive(Debug)]
pub struct Declaration {
    /// The name of the table. Besides the declared columns it has a `version`, which counts the
    /// states of a record, and the author of the version ([`crate::record::Author`]).
    pub table: &'static str,
    /// The name of the collection, in paths, file names and the change feed.
    pub collection: &'static str,
    /// The noun for one record in messages.
    pub singular: &'static str,
    /// The change log, which triggers append to: a table with the logged columns, `seq`, `at`, `kind`,
    /// `version` and the author.
    pub change_log: &'static str,
    /// The column of the change log with the id of the record.
    pub change_log_id: &'static str,
    /// The columns, in the order of JSON and CSV. The first one is the id.
    pub columns: &'static [Column],
    /// The columns that only import files have.
    pub import_columns: &'static [Column],
    /// The filters of lists and exports.
    pub filters: &'static [Filter],
    /// The boolean column by which the index on the name is divided, if it is.
    pub partition: Option<&'static str>,
    /// The source of the number of records.
    pub totals: Totals,
}

/// The source of the number of records, which triggers maintain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Totals {
    /// The last change has the number of all records.
    ChangeLog,
    /// The populations of all places.
    Populations,
}

impl Declaration {
    /// The columns that clients see.
    pub fn visible(&self) -> impl Iterator<Item = &'static Column> {
        let columns: &'static [Column] = self.columns;
        columns.iter().filter(|column| column.is_visible())
    }

    /// The columns that an import file may have.
    pub fn importable(&self) -> impl Iterator<Item = &'static Column> {
        self.visible().chain(self.import_columns)
    }
}

/// A table with the parts of SQL statements that derive from its declaration.
#[derive(Debug)]
pub struct TableSpec {
    /// The declaration.
    pub declaration: &'static Declaration,
    /// The columns that clients see: `id, name`.
    pub record_columns: String,
    /// All columns except the id: `name, name_key`.
    pub stored_columns: String,
    /// The logged columns except the id: `name`.
    pub logged_columns: String,
    /// All columns, each read from a row of an insert: `value ->> 1 AS name`.
    pub input_columns: String,
    /// The assignments of an update: `name = e.value ->> 'name'`.
    pub assignments: String,
    /// The expression of a record as JSON.
    pub json: String,
    /// The expression of a record as JSON, from the change log.
    pub logged_json: String,
    /// The expression of a change as JSON.
    pub change_json: String,
    /// The expression of a record as a line of CSV.
    pub csv_line: String,
    /// The first line of CSV.
    pub csv_header: String,
    /// The JSON names of the columns that clients see.
    pub fields: Vec<&'static str>,
    /// The parameters of a list.
    pub list_parameters: Vec<&'static str>,
    /// The parameters of an export.
    pub export_parameters: Vec<&'static str>,
}

impl TableSpec {
    /// Derives the parts of SQL statements from a declaration.
    #[must_use]
    pub fn new(declaration: &'static Declaration) -> Self {
        let columns = declaration.columns;
        let visible: Vec<&Column> = declaration.visible().collect();
        let fields: Vec<&str> = visible.iter().map(|column| column.json).collect();
        let filters: Vec<&str> = declaration.filters.iter().map(|f| f.name).collect();
        let stored = |column: &&Column| column.access != Access::Id;
        Self {
            record_columns: render::names(visible.iter().copied()),
            stored_columns: render::names(columns.iter().filter(stored)),
            logged_columns: render::names(columns.iter().filter(stored).filter(|c| c.is_logged)),
            input_columns: render::input(columns),
            assignments: render::assignments(columns.iter().filter(stored)),
            json: render::json(&visible, |column| column.name.to_owned()),
            logged_json: render::logged_json(declaration, &visible, ""),
            change_json: render::change_json(declaration, &visible),
            csv_line: render::csv_line(&visible),
            csv_header: format!("{}\r\n", fields.join(",")),
            list_parameters: [&PAGE_PARAMETERS[..], &filters].concat(),
            export_parameters: [&["format", "after"], &filters[..]].concat(),
            fields,
            declaration,
        }
    }

    /// The path of the collection: `/v1/people`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/v1/{}", self.declaration.collection)
    }

    /// The expression of a record as JSON, from a table with an alias.
    #[must_use]
    pub fn json_from(&self, alias: &str) -> String {
        let visible: Vec<&Column> = self.declaration.visible().collect();
        render::json(&visible, |column| format!("{alias}.{}", column.name))
    }

    /// The expression of a record as JSON, from the change log with an alias.
    #[must_use]
    pub fn logged_json_from(&self, alias: &str) -> String {
        let visible: Vec<&Column> = self.declaration.visible().collect();
        render::logged_json(self.declaration, &visible, &format!("{alias}."))
    }

    /// The expression of a record as a line of CSV, without one of its columns.
    #[must_use]
    pub fn csv_line_without(&self, name: &str) -> String {
        render::csv_line(&self.visible_without(name))
    }

    /// The columns except one, each read from a JSON text: `resident ->> 'name' AS name`.
    #[must_use]
    pub fn columns_from_json(&self, json: &str, without: &str) -> String {
        let column = |column: &&Column| {
            let Column {
                name, json: member, ..
            } = column;
            format!("{json} ->> '{member}' AS {name}")
        };
        let columns: Vec<String> = self.visible_without(without).iter().map(column).collect();
        columns.join(", ")
    }

    fn visible_without(&self, name: &str) -> Vec<&'static Column> {
        let visible = self.declaration.visible();
        visible.filter(|column| column.name != name).collect()
    }

    /// The maximum size of a record, as JSON or as a line of CSV.
    #[must_use]
    pub fn max_record_bytes(&self) -> i64 {
        self.declaration.visible().map(Column::max_bytes).sum()
    }

    /// Replaces the placeholders of an SQL template, such as `{table}`.
    #[must_use]
    pub fn sql(&self, template: &str) -> String {
        let declaration = self.declaration;
        let parts = [
            ("{table}", declaration.table),
            ("{change_log}", declaration.change_log),
            ("{change_log_id}", declaration.change_log_id),
            ("{record_columns}", &self.record_columns),
            ("{stored_columns}", &self.stored_columns),
            ("{logged_columns}", &self.logged_columns),
            ("{input_columns}", &self.input_columns),
            ("{assignments}", &self.assignments),
            ("{json}", &self.json),
            ("{logged_json}", &self.logged_json),
            ("{change_json}", &self.change_json),
            ("{epoch}", EPOCH),
        ];
        let mut sql = template.to_owned();
        for (name, part) in parts {
            sql = sql.replace(name, part);
        }
        sql
    }
}

#[cfg(test)]
mod tests {
    use crate::schema::{PERSON, PLACE};
    use http_semantics::json::Object;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_table_has_the_path_of_its_collection() {
        assert_eq!(PLACE.path(), "/v1/places");
        assert_eq!(PERSON.path(), "/v1/people");
    }

    #[test]
    fn the_maximum_size_of_a_record_is_that_of_the_longest_one() {
        let longest = |column: &Column| match column.column_type {
            ColumnType::Integer => json!(9_007_199_254_740_991_i64),
            ColumnType::Boolean => json!(false),
            ColumnType::Text(characters) => json!("\u{10ffff}".repeat(characters)),
        };
        for table in [&PLACE, &PERSON] {
            let visible = table.declaration.visible();
            let record: Object = visible.map(|one| (one.json, longest(one))).collect();
            let json = Value::Object(record.0).to_string();
            assert_eq!(table.max_record_bytes(), i64::try_from(json.len()).unwrap());
        }
    }
}
