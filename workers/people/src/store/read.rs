//! One person, before a write.

use domain::PersonId;
use tables::schema::PERSON;
use tables::statement::Statement;

/// The person with an id, after [`super::add_pending_for`] in the same batch: one row of (body,
/// version, the number of pending writes, the present place). By the primary key.
const READ_BEGUN: &str = "
SELECT {json} AS body, version, changes() AS pending_writes, place_id
FROM person
WHERE id = ?1";

/// The person with an id, after a pending write was recorded.
#[must_use]
pub fn read_begun(id: PersonId) -> Statement {
    Statement::new(&PERSON.sql(READ_BEGUN), vec![id.get().into()])
}
