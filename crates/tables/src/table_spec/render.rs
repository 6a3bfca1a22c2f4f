//! Makes the SQL expressions that are derived from the columns of a table.

use http_semantics::csv;

use super::{Column, ColumnType, Declaration};

/// The names of columns: `id, name`.
pub(super) fn names<'a>(columns: impl Iterator<Item = &'a Column>) -> String {
    let names: Vec<&str> = columns.map(|column| column.name).collect();
    names.join(", ")
}

/// The columns and the number `n`, read from a row of an insert (`tables::new_rows`).
pub(super) fn input(columns: &[Column]) -> String {
    let names = columns.iter().map(|column| column.name).chain(["n"]);
    let input = |(position, name)| format!("value ->> {position} AS {name}");
    let inputs: Vec<String> = names.enumerate().map(input).collect();
    inputs.join(",\n      ")
}

/// The assignments of an update from a JSON row `e`.
pub(super) fn assignments<'a>(columns: impl Iterator<Item = &'a Column>) -> String {
    let assignment = |column: &Column| [column.name, " = e.value ->> '", column.json, "'"].concat();
    columns.map(assignment).collect::<Vec<_>>().join(",\n  ")
}

/// The columns as a JSON object. `source` gives the SQL name of a column.
pub(super) fn json(columns: &[&Column], source: impl Fn(&Column) -> String) -> String {
    let member = |column: &&Column| {
        let source = source(column);
        let value = match column.column_type {
            ColumnType::Boolean => ["iif(", &source, ", 'true', 'false')"].concat(),
            // `json_quote(NULL)` is `null`.
            ColumnType::Text(_) => ["json_quote(", &source, ")"].concat(),
            ColumnType::Integer if column.is_nullable => {
                ["coalesce(", &source, ", 'null')"].concat()
            }
            ColumnType::Integer => source,
        };
        ["\"", column.json, "\":' || ", &value].concat()
    };
    let members: Vec<String> = columns.iter().map(member).collect();
    ["'{", &members.join(" || ',"), " || '}'"].concat()
}

/// A change as JSON. The record is `null` after a deletion or an erasure. A change that belongs to no
/// batch has no `batch`.
pub(super) fn change_json(declaration: &Declaration, visible: &[&Column]) -> String {
    const CHANGE: &str = r#"'{"at":"' || strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch')
    || '","collection":"{collection}","seq":' || seq
    || ',"kind":"' || kind
    || '","id":' || {id}
    || ',"version":' || version
    || ',"by":' || json_quote(actor)
    || iif(batch IS NULL, '', ',"batch":' || json_quote(batch))
    || ',"record":' || iif(kind IN ('created', 'updated'), {record}, 'null')
    || '}'"#;
    CHANGE
        .replace("{collection}", declaration.collection)
        .replace("{id}", declaration.change_log_id)
        .replace("{record}", &logged_json(declaration, visible, ""))
}

/// A record as JSON, from the change log. An erased name is `null`. `prefix` is the alias of the log
/// with a dot, if it has one.
pub(super) fn logged_json(declaration: &Declaration, visible: &[&Column], prefix: &str) -> String {
    let logged: Vec<&Column> = visible.iter().copied().filter(|c| c.is_logged).collect();
    json(&logged, |column| {
        let name = match column.access {
            super::Access::Id => declaration.change_log_id,
            _ => column.name,
        };
        [prefix, name].concat()
    })
}

/// The columns as a line of CSV. `concat` is faster than a chain of `||`, and renders a null as an
/// empty cell.
pub(super) fn csv_line(columns: &[&Column]) -> String {
    let cell = |column: &&Column| match column.column_type {
        ColumnType::Boolean => ["iif(", column.name, ", 'true', 'false')"].concat(),
        ColumnType::Text(_) => csv::sql_text_cell(column.name),
        ColumnType::Integer => column.name.to_owned(),
    };
    let cells: Vec<String> = columns.iter().map(cell).collect();
    ["concat(", &cells.join(", ',', "), ")"].concat()
}
