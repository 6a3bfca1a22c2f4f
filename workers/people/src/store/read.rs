//! The statement that reads a person before a write.

use domain::PersonId;
use tables::schema::PERSON;
use tables::statement::Statement;

/// A person: one row of (body, version, epoch, `pending_writes`, `place_id`). `pending_writes` is the
/// number of rows that the previous statement has added.
///
/// ?1  the id
///
/// Uses the primary key.
const READ_WITH_PENDING: &str = "
SELECT {json} AS body, version, {epoch} AS epoch, changes() AS pending_writes, place_id
FROM person
WHERE id = ?1";

/// A person, right after [`super::add_pending_for`] in the same batch.
#[must_use]
pub fn read_with_pending(id: PersonId) -> Statement {
    Statement::new(&PERSON.sql(READ_WITH_PENDING), vec![id.get().into()])
}
