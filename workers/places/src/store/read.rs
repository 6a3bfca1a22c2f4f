//! One place, by its primary key.

use registry::PlaceId;
use registry::sql::Statement;

use super::record;

const READ: &str = concat!("SELECT ", record!(), ", version FROM place WHERE id = ?1");

/// The place with an id: the record and its version.
#[must_use]
pub fn read(id: PlaceId) -> Statement {
    Statement::new(READ, vec![id.get().into()])
}
