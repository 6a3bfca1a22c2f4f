//! The statements that write people. Each takes a JSON array of people, so the same SQL writes a
//! single person or all people of a batch.

use domain::name::{Name, Normalize};
use domain::{PersonId, PlaceId};
use http_semantics::Validator;
use serde_json::Value;
use tables::change_log;
use tables::new_rows::{self, NewRow};
use tables::record::{Author, returning};
use tables::schema::PERSON;
use tables::statement::{Statement, abort_if, has_version, version_list};

/// Adds a person: a row of (id, version, epoch, body).
#[must_use]
pub fn insert(row: &Value) -> Statement {
    let rows = std::slice::from_ref(row);
    returning(&PERSON, insert_all(rows, row["id"].as_i64()))
}

/// Adds people of one author. `max_id` is the greatest id in the whole batch.
#[must_use]
pub fn insert_all(rows: &[Value], max_id: Option<i64>) -> Statement {
    insert_chunk(&in_index_order(rows), max_id)
}

/// Adds people of one author, in the order of `rows`.
#[must_use]
pub fn insert_chunk(rows: &[NewRow], max_id: Option<i64>) -> Statement {
    new_rows::insert(&PERSON, include_str!("insert.sql"), rows, max_id)
}

/// People in the order in which they are inserted.
#[must_use]
pub fn in_index_order(rows: &[Value]) -> Vec<NewRow<'_>> {
    let mut rows = new_rows::numbered(&PERSON, rows);
    rows.sort_by_cached_key(|row| index_key(row.row));
    rows
}

/// The key of a new person in the index `person_by_place_life_and_name`. People are inserted in its
/// order, because in the order of a file they touch its pages at random, and few pages fit into the
/// cache of SQLite. Their ids still have the order of the file.
fn index_key(row: &Value) -> (Option<i64>, Option<bool>, Option<&str>) {
    let sort_key = row["searchKey"].as_str().or(row["key"].as_str());
    let [place, is_alive] = ["placeId", "isAlive"].map(|member| &row[member]);
    (place.as_i64(), is_alive.as_bool(), sort_key)
}

/// Updates a person: a row of (id, version, epoch, body), or none if the version has changed.
#[must_use]
pub fn update(row: &Value) -> Statement {
    returning(&PERSON, update_all(std::slice::from_ref(row)))
}

/// Updates people.
#[must_use]
pub fn update_all(rows: &[Value]) -> Statement {
    Statement::bind_json_rows(&PERSON.sql(include_str!("update.sql")), rows)
}

/// Renames a person who has another name. Uses the primary key.
///
/// ?1  the id
/// ?2  the name, ?3 its case key, ?4 its search key, ?5 its words
/// ?6  the actor, ?7 the batch
const RENAME: &str = "
UPDATE person SET
  name = ?2, name_key = ?3, search_key = ?4, words = ?5, actor = ?6, batch = ?7,
  version = version + 1
WHERE id = ?1 AND name <> ?2
";

/// Renames a person: a row of (id, version, epoch, body), or none if there is no such person or the
/// name is the same.
#[must_use]
pub fn rename(id: PersonId, name: &Name, author: &Author, normalize: Normalize) -> Statement {
    let keys = name.keys(normalize);
    let [actor, batch] = author.binds();
    let binds = vec![
        id.get().into(),
        name.as_str().into(),
        keys.case.as_str().into(),
        keys.search.as_deref().into(),
        keys.words.as_deref().into(),
        actor,
        batch,
    ];
    returning(&PERSON, Statement::new(RENAME, binds))
}

/// Deposes the king of a place, if the heir has the expected version, or is added.
///
/// ?1  the place
/// ?2  the heir
/// ?3  the version of the heir, or null if the heir is added
/// ?4  the actor
/// ?5  the batch
///
/// Uses the unique index `one_king_a_place`, and the primary key.
const DEPOSE: &str = "
UPDATE person SET is_king = 0, actor = ?4, batch = ?5, version = version + 1
WHERE place_id = ?1 AND is_king = 1 AND id <> ?2
  AND (?3 IS NULL OR EXISTS (
    SELECT 1 FROM person AS heir
    WHERE heir.id = ?2 AND heir.version = ?3
  ))";

/// Deposes the king of a place for an heir. The statement that crowns the heir must follow in the
/// same batch.
#[must_use]
pub fn depose(place: PlaceId, heir: PersonId, version: Option<i64>, author: &Author) -> Statement {
    let mut binds = vec![place.get().into(), heir.get().into(), version.into()];
    binds.extend(author.binds());
    Statement::new(DEPOSE, binds)
}

/// An earlier state of a person.
#[derive(Debug, Clone, Copy)]
pub struct RestoredState {
    /// The person.
    pub person: PersonId,
    /// The version of the state in the change log.
    pub version: i64,
    /// Whether it must still be the last version.
    pub must_be_last: bool,
}

/// A condition: the change log no longer has the state with its name, because an erasure has removed
/// the name since the state was read. Or there is a later state, although it must be the last one.
///
/// ?1  the person
/// ?2  the version
/// ?3  whether it must be the last
///
/// Uses the unique index on (`person_id`, `version`).
const CANNOT_BE_RESTORED: &str = "NOT EXISTS (
  SELECT 1 FROM person_change
  WHERE person_id = ?1 AND version = ?2 AND name IS NOT NULL
    AND NOT (?3 AND EXISTS (SELECT 1 FROM person_change WHERE person_id = ?1 AND version > ?2))
)";

/// Rolls back the transaction if a state can no longer be restored. The write must follow in the same
/// batch.
#[must_use]
pub fn check_restored(state: RestoredState) -> Statement {
    let binds = vec![
        state.person.get().into(),
        state.version.into(),
        i64::from(state.must_be_last).into(),
    ];
    Statement::new(&abort_if(CANNOT_BE_RESTORED), binds)
}

/// Deletes a person: a row of (id), or none if the version has changed. Uses the primary key.
#[must_use]
pub fn delete(id: PersonId, version: i64, author: &Author) -> Statement {
    let binds = vec![id.get().into(), version.into()];
    change_log::delete(&PERSON, author, "id = ?3 AND version = ?4", binds)
}

/// Deletes a person in any of these versions: a row of (id), or none. Uses the primary key.
#[must_use]
pub fn delete_matching(id: PersonId, versions: Option<&[Validator]>, author: &Author) -> Statement {
    let condition = format!("id = ?3 AND {}", has_version("?4"));
    let binds = vec![id.get().into(), version_list(versions)];
    change_log::delete(&PERSON, author, &condition, binds)
}

/// People who still have the expected version. Uses the primary key.
///
/// ?3  a JSON array of (id, version)
const WITH_VERSION: &str = "id IN (
  SELECT person.id
  FROM json_each(?3) AS e
  JOIN person ON person.id = e.value ->> 'id' AND person.version = e.value ->> 'version'
)";

/// Deletes people who still have the expected version: a row of (id) for each.
#[must_use]
pub fn delete_all(rows: &[Value], author: &Author) -> Statement {
    let rows = Value::from(rows).to_string();
    change_log::delete(&PERSON, author, WITH_VERSION, vec![rows.into()])
}

/// The king of a place. Uses the unique index `one_king_a_place`.
const KING: &str = "SELECT id, name FROM person WHERE place_id = ?1 AND is_king = 1";

/// The king of a place: a row of (id, name), or none.
#[must_use]
pub fn king(place: PlaceId) -> Statement {
    Statement::new(KING, vec![place.get().into()])
}
