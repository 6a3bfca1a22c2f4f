//! Writes: for one person as for many, bound as one JSON array.

use domain::name::Name;
use domain::{PersonId, PlaceId};
use serde_json::{Value, json};
use tables::record::returning;
use tables::schema::PERSON;
use tables::statement::Statement;

/// Adds a person: a row of it.
#[must_use]
pub fn insert(row: &Value) -> Statement {
    let rows = std::slice::from_ref(row);
    returning(&PERSON, insert_all(rows, row["id"].as_i64()))
}

/// Adds people; see the statement. None of those who are added together has a greater id than
/// `greatest`.
#[must_use]
pub fn insert_all(rows: &[Value], greatest: Option<i64>) -> Statement {
    let mut insert = Statement::bind_json_rows(&PERSON.sql(include_str!("insert.sql")), rows);
    insert.binds.push(greatest.unwrap_or_default().into());
    insert
}

/// Changes a person: a row of it, with the new version.
#[must_use]
pub fn update(row: &Value) -> Statement {
    returning(&PERSON, update_all(std::slice::from_ref(row)))
}

/// Changes people; see the statement.
#[must_use]
pub fn update_all(rows: &[Value]) -> Statement {
    Statement::bind_json_rows(&PERSON.sql(include_str!("update.sql")), rows)
}

/// Gives people other names, unless they have them already. By the primary key.
const RENAME: &str = "
UPDATE person SET
  name = e.value ->> 'name',
  name_key = e.value ->> 'key',
  version = person.version + 1
FROM json_each(?1) AS e
WHERE person.id = e.value ->> 'id'
  AND person.name <> e.value ->> 'name'
";

/// New names, each of another person: a row as of an update for each that is written.
#[must_use]
pub fn rename(names: &[(PersonId, Name)]) -> Statement {
    let row = |(id, name): &(PersonId, Name)| json!({"id": id.get(), "name": name.as_str(), "key": name.key()});
    let rows: Vec<Value> = names.iter().map(row).collect();
    returning(&PERSON, Statement::bind_json_rows(RENAME, &rows))
}

/// Takes the crown from the king of a place, by the index `one_king_a_place`, for an heir in
/// a version.
const DEPOSE: &str = "
UPDATE person SET is_king = 0, version = version + 1
WHERE place_id = ?1 AND is_king = 1 AND id <> ?2
  AND EXISTS (
    SELECT 1 FROM person AS heir
    WHERE heir.id = ?2 AND heir.version = ?3
  )";

/// Takes the crown from whoever has it, for an heir.
#[must_use]
pub fn depose(place: PlaceId, heir: PersonId, version: i64) -> Statement {
    let binds = [place.get(), heir.get(), version].map(Into::into);
    Statement::new(DEPOSE, binds.into())
}

/// Removes a person in a version, by the primary key.
const DELETE: &str = "DELETE FROM person WHERE id = ?1 AND version = ?2 RETURNING id";

/// Removes a person who is still in a version: a row if so.
#[must_use]
pub fn delete(id: PersonId, version: i64) -> Statement {
    Statement::new(DELETE, vec![id.get().into(), version.into()])
}

/// The present king of a place, by the index `one_king_a_place`.
const KING: &str = "SELECT id, name FROM person WHERE place_id = ?1 AND is_king = 1";

/// The id and the name of a place's king.
#[must_use]
pub fn king(place: PlaceId) -> Statement {
    Statement::new(KING, vec![place.get().into()])
}
