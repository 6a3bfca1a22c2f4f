//! SQL statements with their binds.

use serde::Serialize;
use serde_json::Value;

/// A value bound to a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bind {
    /// A whole number, at most 2^53 - 1 either way.
    Integer(i64),
    /// A text.
    Text(String),
    /// Nothing.
    Null,
}

impl<T: Into<Bind>> From<Option<T>> for Bind {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<String> for Bind {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<i64> for Bind {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Bind {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

/// A statement, ready to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The text, with `?1`, `?2`, … for what is bound.
    pub sql: String,
    /// What is bound, in order.
    pub binds: Vec<Bind>,
}

impl Statement {
    /// A statement of a fixed text.
    #[must_use]
    pub fn new(sql: &str, binds: Vec<Bind>) -> Self {
        Self {
            sql: sql.to_owned(),
            binds,
        }
    }

    /// A statement over many rows: `?1` is a JSON array of them, the only form in which D1 takes
    /// many values at once.
    #[must_use]
    pub fn bind_json_rows<T: Serialize>(sql: &str, rows: &[T]) -> Self {
        // Plain values always serialize.
        let rows = serde_json::to_string(rows).unwrap_or_default();
        Self::new(sql, vec![rows.into()])
    }
}

/// The most bytes of rows that are bound to one statement: D1 takes no text over 2 MB.
pub const MAX_TEXT_BYTES: usize = 1_900_000;

/// The most bytes of a row without its texts.
const MAX_ROW_OVERHEAD: usize = 250;

/// Splits rows into chunks that can each be bound to one statement.
#[must_use]
pub fn chunks_by_size(rows: &[Value]) -> Vec<&[Value]> {
    // A quote or a backslash is escaped, and no control character is in a name.
    let length = |value: &Value| 2 * value.as_str().map_or(0, str::len);
    let (mut chunks, mut begin, mut bytes) = (Vec::new(), 0, 0);
    for (n, row) in rows.iter().enumerate() {
        let members = row.as_object().into_iter().flatten();
        let row = MAX_ROW_OVERHEAD + members.map(|(_, value)| length(value)).sum::<usize>();
        if bytes + row > MAX_TEXT_BYTES {
            chunks.extend(rows.get(begin..n));
            (begin, bytes) = (n, 0);
        }
        bytes += row;
    }
    chunks.extend(rows.get(begin..).filter(|rest| !rest.is_empty()));
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn chunks_of_rows_fit_into_a_statement() {
        let id = 9_007_199_254_740_991_i64;
        let row = |name: &str| {
            json!({
                "n": id, "id": id, "version": id, "name": name, "key": name, "isAlive": false,
                "isKing": false, "placeId": id, "isAnew": false,
            })
        };
        for (name, least) in [("", 6_000), ("\\\"", 1_500), ("\u{10ffff}", 500)] {
            let rows = vec![row(&name.repeat(200 / name.chars().count().max(1))); 20_000];
            let chunks = chunks_by_size(&rows);
            assert_eq!(chunks.concat(), rows);
            let fits = |run: &&[Value]| serde_json::to_string(run).unwrap().len() < 2_000_000;
            assert!(chunks.iter().all(fits));
            assert!(chunks[0].len() >= least, "{}", chunks[0].len());
        }
        assert_eq!(chunks_by_size(&[]), Vec::<&[Value]>::new());
    }
}
