//! One place, by its primary key.

use domain::PlaceId;
use tables::statement::Statement;

use super::record;

const READ: &str = concat!(
    "SELECT ",
    record!(),
    ", version, (SELECT max(seq) FROM place_change) FROM place WHERE id = ?1"
);

/// The place with an id: the record, its version, and the register's change counter.
#[must_use]
pub fn read(id: PlaceId) -> Statement {
    Statement::new(READ, vec![id.get().into()])
}
