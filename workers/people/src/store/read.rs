//! One person, by the primary key.

use registry::PersonId;
use registry::sql::Statement;

use super::record;

const READ: &str = concat!("SELECT ", record!(), " FROM person WHERE id = ?1");

/// The person with an id.
#[must_use]
pub fn read(id: PersonId) -> Statement {
    Statement::new(READ, vec![id.get().into()])
}
