//! One person, by the primary key.

use registry::PersonId;
use registry::sql::Statement;

use super::record;

const READ: &str = concat!(
    "SELECT ",
    record!(),
    ", version, unsettled_since IS NOT NULL, place_id,
  (SELECT max(seq) FROM person_change)
FROM person WHERE id = ?1"
);

/// The person with an id: the record, its version, whether it is unsettled, the
/// place, and the register's change counter.
#[must_use]
pub fn read(id: PersonId) -> Statement {
    Statement::new(READ, vec![id.get().into()])
}
