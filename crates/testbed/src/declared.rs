//! Compares the declaration of a table with its schema, its statements and its triggers.

use rusqlite::Result;
use rusqlite::types::Value;
use serde_json::{Map, Value as Json};
use tables::TableSpec;
use tables::statement::Statement;
use tables::table_spec::{Access, Column, ColumnType, Totals};

use crate::Testbed;

/// The statements that write one row of a table.
pub struct Writes {
    /// Inserts a row.
    pub insert: fn(&Json) -> Statement,
    /// Updates a row of a given version.
    pub update: fn(&Json) -> Statement,
}

impl Testbed {
    /// The differences between the declaration of a table and the columns that the database stores,
    /// logs and renders. The table must be empty.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn undeclared(&self, table: &TableSpec, writes: &Writes) -> Result<Vec<String>> {
        let mut differences = self.schema(table)?;
        if differences.is_empty() {
            for (version, write) in (1..).zip([writes.insert, writes.update]) {
                self.rows(&write(&row(table, version)))?;
                differences.extend(self.stored(table, version)?);
            }
            let delete = format!("DELETE FROM {}", table.declaration.table);
            self.execute(&delete)?;
            differences.extend(self.logged(table)?);
        }
        Ok(differences)
    }

    /// Columns that are missing in the schema or in the declaration.
    fn schema(&self, table: &TableSpec) -> Result<Vec<String>> {
        let declaration = table.declaration;
        let columns = declaration.columns.iter();
        let stored = columns.clone().map(|column| column.name);
        let logged = columns.filter(|column| column.is_logged);
        let logged = logged.map(|column| log_name(table, column));
        let total = (declaration.totals == Totals::ChangeLog).then_some(declaration.collection);
        let tables: [(&str, Vec<&str>); 2] = [
            (
                declaration.table,
                stored.chain(["version", "actor", "batch"]).collect(),
            ),
            (
                declaration.change_log,
                logged
                    .chain(["seq", "at", "kind", "version", "actor", "batch"])
                    .chain(total)
                    .collect(),
            ),
        ];
        let mut differences = Vec::new();
        for (name, declared) in tables {
            let info = Statement::new("SELECT name FROM pragma_table_info(?1)", vec![name.into()]);
            let rows = self.rows(&info)?;
            let found: Vec<&str> = rows.iter().map(|row| row.text("name")).collect();
            let missing = declared.iter().filter(|column| !found.contains(column));
            differences.extend(missing.map(|c| format!("no migration adds {name}.{c}")));
            let unknown = found.iter().filter(|column| !declared.contains(column));
            differences.extend(unknown.map(|c| format!("{name}.{c} is not declared")));
        }
        Ok(differences)
    }

    /// Columns that the last write did not store, or that are rendered against the declaration.
    fn stored(&self, table: &TableSpec, version: i64) -> Result<Vec<String>> {
        let sql = "SELECT *, {json} AS body FROM {table}";
        let found = self.rows(&Statement::new(&table.sql(sql), Vec::new()))?;
        let found = found.first().ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let body: Json = serde_json::from_str(found.text("body")).unwrap_or_default();
        let row = row(table, version);
        let mut differences = Vec::new();
        for column in table.declaration.columns {
            if found[column.name] != sql_value(&row[column.json]) {
                differences.push(format!("write {version} does not set {}", column.name));
            }
            let is_shown = body.get(column.json) == Some(&row[column.json]);
            if is_shown != column.is_visible() {
                differences.push(format!("{} is not shown as declared", column.json));
            }
        }
        Ok(differences)
    }

    /// Columns that the trigger of a change did not log.
    fn logged(&self, table: &TableSpec) -> Result<Vec<String>> {
        let sql = table.sql("SELECT * FROM {change_log} ORDER BY seq");
        let changes = self.rows(&Statement::new(&sql, Vec::new()))?;
        let columns = table.declaration.columns;
        let mut differences = Vec::new();
        for (change, version) in changes.iter().zip([1, 2, 2]) {
            let row = row(table, version);
            let kind = change.text("kind");
            for column in columns.iter().filter(|column| column.is_logged) {
                let name = log_name(table, column);
                if change[name] != sql_value(&row[column.json]) {
                    differences.push(format!("the trigger of `{kind}` does not log {name}"));
                }
            }
        }
        if changes.len() != 3 {
            differences.push(format!("{} changes are logged, not 3", changes.len()));
        }
        Ok(differences)
    }
}

/// The name of a column in the change log.
fn log_name(table: &TableSpec, column: &Column) -> &'static str {
    match column.access {
        Access::Id => table.declaration.change_log_id,
        _ => column.name,
    }
}

/// A row to write. Every column differs from the previous version.
fn row(table: &TableSpec, version: i64) -> Json {
    let value = |column: &Column| match column.column_type {
        _ if column.access == Access::Id => 1.into(),
        ColumnType::Integer => (7 + version).into(),
        ColumnType::Boolean => (version == 1).into(),
        ColumnType::Text(_) => format!("{} {version}", column.json).into(),
    };
    let columns = table.declaration.columns.iter();
    let mut row: Map<String, Json> = columns
        .map(|column| (column.json.to_owned(), value(column)))
        .collect();
    // The version that an update changes.
    row.insert("version".to_owned(), (version - 1).into());
    row.into()
}

fn sql_value(value: &Json) -> Value {
    match value {
        Json::Bool(value) => i64::from(*value).into(),
        Json::Number(number) => number.as_i64().into(),
        Json::String(text) => text.clone().into(),
        _ => Value::Null,
    }
}
