//! The rows of an insert. SQLite gets each row as a JSON array: the values of the declared columns in
//! their order, and the number `n` of the row among those without an id, which get the next ids. An
//! array is half as long as an object, and SQLite finds its members faster.

use serde::ser::{Serialize, SerializeSeq, Serializer};
use serde_json::Value;

use crate::statement::{Bind, MAX_TEXT_BYTES, Statement, chunks};
use crate::table_spec::{Column, TableSpec};

/// A row to insert.
pub struct NewRow<'a> {
    /// The row as an object.
    pub row: &'a Value,
    columns: &'static [Column],
    n: usize,
}

impl Serialize for NewRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut array = serializer.serialize_seq(Some(self.columns.len() + 1))?;
        for column in self.columns {
            array.serialize_element(&self.row[column.json])?;
        }
        array.serialize_element(&self.n)?;
        array.end()
    }
}

/// The rows with their numbers. They may be inserted in any order.
#[must_use]
pub fn numbered<'a>(table: &TableSpec, rows: &'a [Value]) -> Vec<NewRow<'a>> {
    let columns = table.declaration.columns;
    let mut n = 0;
    let number = |row: &'a Value| {
        n += usize::from(row["id"].is_null());
        NewRow { row, columns, n }
    };
    rows.iter().map(number).collect()
}

/// The statement that inserts rows of one author: it binds them, the greatest id of the whole batch,
/// and the author.
#[must_use]
pub fn insert(table: &TableSpec, sql: &str, rows: &[NewRow], max_id: Option<i64>) -> Statement {
    let mut insert = Statement::bind_json_rows(&table.sql(sql), rows);
    let author = |member: &str| -> Bind {
        let first = rows.first();
        first.and_then(|first| first.row[member].as_str()).into()
    };
    insert.binds.push(max_id.unwrap_or_default().into());
    insert.binds.extend([author("actor"), author("batch")]);
    insert
}

/// Splits rows into chunks that can each be inserted by one statement.
#[must_use]
pub fn chunks_to_insert<'a, 'b>(rows: &'b [NewRow<'a>]) -> Vec<&'b [NewRow<'a>]> {
    chunks(rows, MAX_TEXT_BYTES, |NewRow { row, columns, .. }| {
        let values = columns.iter().map(|column| &row[column.json]);
        MAX_NUMBER_BYTES + values.map(max_json_bytes).sum::<usize>()
    })
}

/// The maximum size of a number with the comma after it.
const MAX_NUMBER_BYTES: usize = 17;

/// The maximum size of a value in a JSON array, with the comma after it. Names contain no control
/// characters, whose escapes are longer than those of quotes and backslashes.
fn max_json_bytes(value: &Value) -> usize {
    value.as_str().map_or(MAX_NUMBER_BYTES, |text| {
        let escapes = text.bytes().filter(|byte| matches!(byte, b'"' | b'\\'));
        text.len() + escapes.count() + 3
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::PERSON;
    use serde_json::json;

    #[test]
    fn a_row_is_an_array_of_its_columns_and_its_number() {
        let name = |name: &str, id: Option<i64>| json!({"id": id, "name": name, "actor": "a"});
        let rows = [name("x", None), name("y", Some(7)), name("z", None)];
        let numbered = numbered(&PERSON, &rows);
        let insert = insert(&PERSON, "SELECT 1", &numbered, Some(7));
        let arrays: Vec<Vec<Value>> = match &insert.binds[0] {
            Bind::Text(text) => serde_json::from_str(text).unwrap(),
            other => panic!("{other:?}"),
        };
        let columns = PERSON.declaration.columns;
        let position = |name| columns.iter().position(|column| column.json == name);
        let (id, name) = (position("id").unwrap(), position("name").unwrap());
        let found: Vec<[&Value; 3]> = arrays
            .iter()
            .map(|array| [&array[id], &array[name], &array[columns.len()]])
            .collect();
        let expected = [
            [json!(null), json!("x"), json!(1)],
            [json!(7), json!("y"), json!(1)],
            [json!(null), json!("z"), json!(2)],
        ];
        assert_eq!(found, expected.each_ref().map(<[Value; 3]>::each_ref));
        assert_eq!(insert.binds[1..], [7.into(), "a".into(), Bind::Null]);
    }

    #[test]
    fn each_chunk_of_new_rows_fits_into_a_statement() {
        let id = 9_007_199_254_740_991_i64;
        for (name, least) in [("x", 12_000), ("\\\"".repeat(100).as_str(), 1_100)] {
            let row = json!({
                "id": id, "name": name, "key": name, "searchKey": name, "words": name,
                "isAlive": false, "isKing": false, "placeId": id,
            });
            let rows = vec![row; 12_000];
            let rows = numbered(&PERSON, &rows);
            let chunks = chunks_to_insert(&rows);
            let chunked = chunks.iter().copied().flatten();
            assert!(
                chunked
                    .map(std::ptr::from_ref)
                    .eq(rows.iter().map(std::ptr::from_ref))
            );
            for chunk in &chunks {
                let json = serde_json::to_string(chunk).unwrap();
                assert!(json.len() <= MAX_TEXT_BYTES, "{}", json.len());
            }
            assert!(chunks[0].len() >= least, "{}", chunks[0].len());
        }
        assert!(chunks_to_insert(&[]).is_empty());
    }
}
