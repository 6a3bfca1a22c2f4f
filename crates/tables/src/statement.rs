//! A SQL statement with the values that are bound to its parameters.
//!
//! A limit is written `LIMIT +?1`. The plan of a statement with `LIMIT ?1` depends on the value, so SQLite
//! parses and plans it again for each run. The plus hides the value. `testbed` rejects such statements.

use http_semantics::Validator;
use http_semantics::media::ListFraming;
use serde::Serialize;
use serde_json::Value;

/// A value that is bound to a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bind {
    /// A whole number from -(2^53 - 1) to 2^53 - 1: D1 binds it as a JavaScript number.
    Integer(i64),
    /// A text.
    Text(String),
    /// A null.
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

impl From<Validator> for Bind {
    fn from(validator: Validator) -> Self {
        Self::Text(validator.to_string())
    }
}

impl From<&str> for Bind {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

/// A statement with its binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The SQL, with the placeholders `?1`, `?2`, …
    pub sql: String,
    /// The values of the placeholders.
    pub binds: Vec<Bind>,
}

impl Statement {
    /// A statement with a copy of the SQL.
    #[must_use]
    pub fn new(sql: &str, binds: Vec<Bind>) -> Self {
        Self {
            sql: sql.to_owned(),
            binds,
        }
    }

    /// A statement over many rows. It binds them as one JSON array, `?1`, because D1 has no other
    /// way to bind a list.
    #[must_use]
    pub fn bind_json_rows<T: Serialize>(sql: &str, rows: &[T]) -> Self {
        // Serializing plain values cannot fail.
        let rows = serde_json::to_string(rows).unwrap_or_default();
        Self::new(sql, vec![rows.into()])
    }
}

/// The epoch of the database, as an expression. One row by the primary key.
pub const EPOCH: &str = "(SELECT epoch FROM schema WHERE id = 1)";

/// The condition that a record has one of the versions that a client allows. The placeholder is bound
/// to [`version_list`].
#[must_use]
pub fn has_version(placeholder: &str) -> String {
    format!(
        "({placeholder} IS NULL
  OR version || '.' || {EPOCH} IN (SELECT value FROM json_each({placeholder})))"
    )
}

/// The versions that a client allows, as a JSON array. None: any version.
#[must_use]
pub fn version_list(versions: Option<&[Validator]>) -> Bind {
    let texts = versions.map(|versions| versions.iter().map(ToString::to_string));
    let texts: Option<Vec<String>> = texts.map(Iterator::collect);
    texts
        .and_then(|texts| serde_json::to_string(&texts).ok())
        .into()
}

/// The query for the change sequence and the epoch, as one row of (`change_seq`, epoch). If the
/// placeholder `seen` is bound to both, nothing has changed, and there is no row. It reads two rows. Uses
/// the primary keys.
#[must_use]
pub fn changed_since(seen: &str) -> String {
    // Without the limit, SQLite would read the epoch twice.
    const CHANGED: &str = "SELECT change_seq, epoch
    FROM (SELECT coalesce(max(seq), 0) AS change_seq, {epoch} AS epoch FROM {change_log} LIMIT 1)
    WHERE change_seq || '.' || epoch IS NOT {seen}";
    CHANGED.replace("{seen}", seen)
}

/// The binds of the text around the records of a list: before, between and after them, and the end
/// of an empty list.
#[must_use]
pub fn framing_binds(framing: ListFraming) -> [Bind; 4] {
    let ListFraming {
        open,
        between,
        close,
        none,
    } = framing;
    [open, between, close, none].map(Bind::from)
}

/// The SQL of a statement that rolls back the transaction if a condition is true: it violates the
/// constraint [`ABORTED`] of the table `schema`. It must not write several rows: SQLite would begin a
/// savepoint for it, at which FTS5 writes the search index, and `changes()` would count its rows.
#[must_use]
pub fn abort_if(condition: &str) -> String {
    format!("UPDATE schema SET id = 2 WHERE id = 1 AND {condition}")
}

/// Rolls back the transaction if the statement before did not write this number of rows.
#[must_use]
pub fn check_row_count(count: i64) -> Statement {
    Statement::new(&abort_if("changes() <> ?1"), vec![count.into()])
}

/// The constraint that [`abort_if`] violates. It has no name, so its errors have its expression, of
/// which they keep the first word.
pub const ABORTED: &str = "id";

/// The maximum size of a text that a statement binds or returns. D1 rejects texts over 2 MB.
pub const MAX_TEXT_BYTES: usize = 1_900_000;

/// The maximum size of a row without its texts.
const MAX_ROW_OVERHEAD_BYTES: usize = 250;

/// Splits rows into chunks that can each be bound to one statement.
#[must_use]
pub fn chunks_by_size(rows: &[Value]) -> Vec<&[Value]> {
    // At worst every byte is a quote or a backslash, which JSON escapes. Names contain no control
    // characters, whose escapes are longer.
    let max_bytes = |value: &Value| 2 * value.as_str().map_or(0, str::len);
    chunks(rows, MAX_TEXT_BYTES, |row| {
        let members = row.as_object().into_iter().flatten();
        let texts: usize = members.map(|(_, value)| max_bytes(value)).sum();
        MAX_ROW_OVERHEAD_BYTES + texts
    })
}

/// Splits rows into chunks of a maximum size.
pub(crate) fn chunks<T>(rows: &[T], max_bytes: usize, bytes: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let (mut chunks, mut start, mut chunk_bytes) = (Vec::new(), 0, 0);
    for (index, row) in rows.iter().enumerate() {
        let row_bytes = bytes(row);
        if chunk_bytes + row_bytes > max_bytes {
            chunks.extend(rows.get(start..index));
            (start, chunk_bytes) = (index, 0);
        }
        chunk_bytes += row_bytes;
    }
    chunks.extend(rows.get(start..).filter(|rest| !rest.is_empty()));
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_chunk_of_rows_fits_into_a_statement() {
        let id = 9_007_199_254_740_991_i64;
        let row = |name: &str| {
            json!({
                "n": id, "id": id, "version": id, "name": name, "key": name, "isAlive": false,
                "isKing": false, "placeId": id, "isNewReference": false,
            })
        };
        for (name, least) in [("", 7_600), ("\\\"", 1_809), ("\u{10ffff}", 550)] {
            let rows = vec![row(&name.repeat(200 / name.chars().count().max(1))); 8_000];
            let chunks = chunks_by_size(&rows);
            assert_eq!(chunks.concat(), rows);
            let fits = |run: &&[Value]| serde_json::to_string(run).unwrap().len() < 2_000_000;
            assert!(chunks.iter().all(fits));
            assert!(chunks[0].len() >= least, "{}", chunks[0].len());
        }
        assert_eq!(chunks_by_size(&[]), Vec::<&[Value]>::new());
    }
}
