//! A row of a result. Its columns are read by name, as in the workers.

use std::ops::Index;

use rusqlite::types::Value;

/// A row of a result. It equals a row, an array or a vector with the same values.
#[derive(Debug, Clone)]
pub struct Row {
    pub(crate) names: Vec<String>,
    pub(crate) values: Vec<Value>,
}

impl Row {
    /// The values of all columns, in the order of the statement.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The text of a column.
    ///
    /// # Panics
    /// The column has no text.
    #[must_use]
    pub fn text(&self, column: &str) -> &str {
        match &self[column] {
            Value::Text(text) => text,
            other => panic!("{column} is {other:?}"),
        }
    }

    /// The integer of a column.
    ///
    /// # Panics
    /// The column has no integer.
    #[must_use]
    pub fn integer(&self, column: &str) -> i64 {
        match &self[column] {
            Value::Integer(number) => *number,
            other => panic!("{column} is {other:?}"),
        }
    }
}

impl Index<&str> for Row {
    type Output = Value;

    fn index(&self, column: &str) -> &Value {
        let position = self.names.iter().position(|name| name == column);
        let value = position.and_then(|position| self.values.get(position));
        value.unwrap_or_else(|| panic!("no column {column} in {:?}", self.names))
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

impl PartialEq<Vec<Value>> for Row {
    fn eq(&self, other: &Vec<Value>) -> bool {
        self.values == *other
    }
}

impl<const N: usize> PartialEq<[Value; N]> for Row {
    fn eq(&self, other: &[Value; N]) -> bool {
        self.values == other
    }
}
