//! Reads the cells of a CSV file as people and spreadsheets write them.

use domain::name::{Normalize, case_key};
use domain::param::parse_positive_integer;
use http_semantics::csv;
use serde_json::Value;

use crate::table_spec::{Column, ColumnType};

/// The JSON value of a cell. An empty cell is null, which a new record treats like an absent field,
/// and a patch clears. The text of an invalid cell stays a text, and the parser of the record
/// rejects it.
pub fn parse_cell(column: &Column, cell: &str) -> Value {
    if cell.is_empty() {
        return Value::Null;
    }
    let value = match column.column_type {
        ColumnType::Text(_) => return csv::unescape_formula(cell).into(),
        ColumnType::Integer => parse_positive_integer(cell).map(Value::from),
        ColumnType::Boolean => parse_boolean(cell).map(Value::from),
    };
    value.unwrap_or_else(|| cell.into())
}

/// The texts for true and false that people write, and those of spreadsheets in some languages. macOS
/// writes an accent as a character of its own.
const TRUE: &[&str] = &[
    "true",
    "yes",
    "1",
    "sí",
    "si\u{301}",
    "si",
    "verdadero",
    "oui",
    "vrai",
    "ja",
    "wahr",
    "vero",
    "sim",
    "verdadeiro",
];
const FALSE: &[&str] = &[
    "false",
    "no",
    "0",
    "falso",
    "non",
    "faux",
    "nein",
    "falsch",
    "não",
    "na\u{303}o",
    "nao",
];

/// A boolean of a cell, in any case.
fn parse_boolean(cell: &str) -> Option<bool> {
    let text = case_key(cell.trim(), Normalize::NONE);
    let is = |known: &[&str]| known.contains(&text.as_str());
    if is(TRUE) {
        Some(true)
    } else {
        is(FALSE).then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accent_may_be_a_character_of_its_own() {
        for (cell, expected) in [
            ("sí", Some(true)),
            ("SI\u{301}", Some(true)),
            ("não", Some(false)),
            ("na\u{303}o", Some(false)),
            ("s\u{301}i", None),
        ] {
            assert_eq!(parse_boolean(cell), expected, "{cell}");
        }
    }
}
