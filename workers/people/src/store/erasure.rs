//! The statements of an erasure. They remove the names of a person from this database.
//!
//! **If a table contains names, [`erase`] needs a statement for it.** There are two exceptions. The
//! record itself is deleted, and its indexes with it. The responses to requests with an idempotency
//! key contain no names, because they are read from the change log.

use domain::PersonId;
use tables::record::Author;
use tables::statement::Statement;

use super::write;

/// Logs the erasure, unless nothing happened to the person since the last one.
///
/// ?1  the person, who must be deleted
/// ?2  the actor
/// ?3  the batch
///
/// Uses the primary key of `person`, and the unique index on (`person_id`, `version`).
const LOG: &str = "
INSERT INTO person_change
  (at, kind, person_id, version, is_alive, is_king, place_id, actor, batch)
SELECT
  max(
    CAST(unixepoch('subsec') * 1000 AS INTEGER),
    (SELECT at FROM person_change WHERE seq = (SELECT max(seq) FROM person_change))
  ),
  'erased', person_id, version + 1, is_alive, is_king, place_id, ?2, ?3
FROM (SELECT * FROM person_change WHERE person_id = ?1 ORDER BY version DESC LIMIT 1)
WHERE kind <> 'erased' AND NOT EXISTS (SELECT 1 FROM person WHERE id = ?1)";

/// Removes the names from the history. Uses the same indexes.
const REMOVE_NAMES: &str = "
UPDATE person_change SET name = NULL
WHERE person_id = ?1 AND name IS NOT NULL AND NOT EXISTS (SELECT 1 FROM person WHERE id = ?1)";

/// The last change of the person: a row of (kind, seq), or none. Uses the same index.
const LAST_CHANGE: &str = "
SELECT kind, seq FROM person_change WHERE person_id = ?1 ORDER BY version DESC LIMIT 1";

/// Deletes a person who has this version, and removes their names. Without a version the person is
/// deleted already. The last result is a row of (kind, seq). Its kind is `erased`, unless another
/// request was faster.
#[must_use]
pub fn erase(id: PersonId, version: Option<i64>, author: &Author) -> Vec<Statement> {
    let of_person = |sql| Statement::new(sql, vec![id.get().into()]);
    let delete = version.map(|version| write::delete(id, version, author));
    let mut log = of_person(LOG);
    log.binds.extend(author.binds());
    let erase = [log, of_person(REMOVE_NAMES), of_person(LAST_CHANGE)];
    delete.into_iter().chain(erase).collect()
}

/// The change sequence of the latest erasure, or 0. Uses the index `erasure`.
const LATEST: &str = "SELECT coalesce(max(seq), 0) AS seq FROM person_change WHERE kind = 'erased'";

/// The latest erasure: a row of (seq).
#[must_use]
pub fn latest_erasure() -> Statement {
    Statement::new(LATEST, vec![])
}
