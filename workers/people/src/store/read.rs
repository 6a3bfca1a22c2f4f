//! One person, by the primary key.

use registry::PersonId;
use registry::sql::Statement;

use super::record;

const READ: &str = concat!(
    "SELECT ",
    record!(),
    ", version, unsettled_since IS NOT NULL, place_id FROM person WHERE id = ?1"
);

/// The person with an id: the record, its version, whether it is unsettled, and the place.
#[must_use]
pub fn read(id: PersonId) -> Statement {
    Statement::new(READ, vec![id.get().into()])
}
