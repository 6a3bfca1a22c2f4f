//! What is asked of all databases of a register (docs/scale.md): where somebody is, who is on the way,
//! how far each is.

use registry::PersonId;
use registry::sql::Statement;
use serde_json::Value;

use super::handover::Token;
use super::record;

/// The greatest id that a register knows of, by the sequence and by the log: a row of (last,
/// greatest), by the index on `person_change` (`person_id`, version).
const GREATEST: &str = "
SELECT
  coalesce((SELECT last FROM id_sequence), 0) AS last,
  coalesce((SELECT max(person_id) FROM person_change), 0) AS greatest";

/// How far the ids are.
#[must_use]
pub fn greatest() -> Statement {
    Statement::new(GREATEST, Vec::new())
}

/// How a person is known in a database: one row of (the version of the last change, whether
/// somebody was there behind it, its kind, whether another handover brings them, record, version,
/// whether unsettled, place, counter, whether anybody is on the way who has no id yet). By the primary
/// key, the index on `person_change` (`person_id`, version), and those on arrival.
const KNOWN: &str = concat!(
    "
SELECT
  last.last_version,
  last.exists_then,
  last.kind,
  EXISTS (SELECT 1 FROM arrival WHERE person_id = ?1 AND token <> ?2) AS is_awaited,
  ",
    record!(),
    " AS record,
  version,
  unsettled_since IS NOT NULL AS is_unsettled,
  place_id,
  (SELECT max(seq) FROM person_change) AS counter,
  EXISTS (SELECT 1 FROM arrival WHERE person_id IS NULL) AS is_numbering
FROM (SELECT 1)
LEFT JOIN (
  SELECT version AS last_version, exists_then, kind
  FROM person_change WHERE person_id = ?1
  ORDER BY version DESC LIMIT 1
) AS last ON TRUE
LEFT JOIN person ON id = ?1"
);

/// What a database knows of a person. One's own handover is not counted.
#[must_use]
pub fn of(id: PersonId, token: &Token) -> Statement {
    Statement::new(KNOWN, vec![id.get().into(), token.into()])
}

/// How many people are known in a database: rows as of [`of`], of (n, the version of the last
/// change, whether somebody was there behind it, its kind, version, whether unsettled, name,
/// whether alive, whether king, place), of those whom it has ever seen. By the same.
const ALL_KNOWN: &str = "
SELECT
  e.value ->> 'n' AS n,
  last.version AS last_version,
  last.exists_then,
  last.kind,
  person.version,
  person.unsettled_since IS NOT NULL AS is_unsettled,
  person.name,
  person.is_alive,
  person.is_king,
  person.place_id
FROM json_each(?1) AS e
JOIN person_change AS last
  ON last.person_id = e.value ->> 'id' AND last.version = (
    SELECT max(version) FROM person_change WHERE person_id = e.value ->> 'id'
  )
LEFT JOIN person ON person.id = last.person_id";

/// What a database knows of people, each a row with an `id` and its number `n`.
#[must_use]
pub fn of_all(rows: &[Value]) -> Statement {
    Statement::over(ALL_KNOWN, rows)
}

/// Whether other handovers may bring one of these, by what is on the way: a row of (whether one
/// does, whether anybody has no id yet).
const AWAITED: &str = "
SELECT
  EXISTS (
    SELECT 1 FROM arrival
    WHERE token <> ?2 AND person_id IN (SELECT value ->> 'id' FROM json_each(?1))
  ) AS is_awaited,
  EXISTS (SELECT 1 FROM arrival WHERE person_id IS NULL AND token <> ?2) AS is_numbering";

/// Whether others bring the same people.
#[must_use]
pub fn awaited(rows: &[Value], token: &Token) -> Statement {
    let mut statement = Statement::over(AWAITED, rows);
    statement.binds.push(token.into());
    statement
}

/// The kings of places whose crown is claimed: rows of (n, the king's id, the name), but for who claims
/// it. By the index `one_king_a_place`.
const KINGS: &str = "
SELECT e.value ->> 'n' AS n, king.id, king.name
FROM json_each(?1) AS e
JOIN person AS king
  ON king.place_id = e.value ->> 'placeId' AND king.is_king = 1
  AND king.id IS NOT e.value ->> 'id'";

/// Who wears the crowns that are claimed.
#[must_use]
pub fn kings(rows: &[Value]) -> Statement {
    Statement::over(KINGS, rows)
}

/// How far a database is, and what it knows of its peers: one row of (counter, passages as
/// `{"DB2":[went,came]}`, whether anybody is to come from one).
const STATE: &str = "
SELECT
  coalesce((SELECT max(seq) FROM person_change), 0) AS counter,
  (SELECT json_group_object(peer, json_array(went, came)) FROM passage) AS passages,
  EXISTS (SELECT 1 FROM arrival WHERE origin IS NOT NULL) AS is_expecting";

/// How far a database is.
#[must_use]
pub fn state() -> Statement {
    Statement::new(STATE, Vec::new())
}

/// Handovers that have not arrived: rows of (token, origin, age in milliseconds, the first
/// of their people, whose version, whose place).
const OPEN: &str = "
SELECT
  token,
  min(origin) AS origin,
  CAST(unixepoch('subsec') * 1000 AS INTEGER) - min(at) AS age,
  min(person_id) AS person_id,
  min(version) AS version,
  min(place_id) AS place_id
FROM arrival
GROUP BY token
LIMIT ?1";

/// The handovers that a database waits for.
#[must_use]
pub fn open(most: i64) -> Statement {
    Statement::new(OPEN, vec![most.into()])
}

/// What was decided: rows of (token, `is_done`, `first_id`). By the primary key.
#[must_use]
pub fn decided(tokens: &[&Token]) -> Statement {
    const DECIDED: &str = "
SELECT token, is_done, first_id FROM decision
WHERE token IN (SELECT value FROM json_each(?1))";
    Statement::over(DECIDED, tokens)
}

/// Some of the living of a place, in order of id: rows of (id, version, name), those who are
/// settled. By the index `person_by_place_and_life`.
const RESIDENTS: &str = "
SELECT id, version, name FROM person
WHERE place_id = ?1 AND is_alive = 1 AND unsettled_since IS NULL
ORDER BY id LIMIT ?2";

/// Who is to be moved from a place.
#[must_use]
pub fn movable(place: i64, most: i64) -> Statement {
    Statement::new(RESIDENTS, vec![place.into(), most.into()])
}
