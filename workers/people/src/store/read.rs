//! One person, by the primary key.

use domain::PersonId;
use tables::statement::Statement;

use super::record;

const READ: &str = concat!(
    "SELECT ",
    record!(),
    ", version, (SELECT max(seq) FROM person_change)
FROM person WHERE id = ?1"
);

const READ_VERSION: &str = concat!("SELECT ", record!(), ", version FROM person WHERE id = ?1");

/// The person with an id: one row of (record, version, change sequence).
#[must_use]
pub fn read(id: PersonId) -> Statement {
    Statement::new(READ, vec![id.get().into()])
}

const READ_BEGUN: &str = concat!(
    "SELECT ",
    record!(),
    ", version, changes(), place_id FROM person WHERE id = ?1"
);

/// The person with an id, after [`super::add_pending_for`] in the same batch: one row of (record,
/// version, the number of pending writes, the present place).
#[must_use]
pub fn read_begun(id: PersonId) -> Statement {
    Statement::new(READ_BEGUN, vec![id.get().into()])
}

/// The same for a write, which needs no change sequence: one row of (record, version).
#[must_use]
pub fn read_version(id: PersonId) -> Statement {
    Statement::new(READ_VERSION, vec![id.get().into()])
}
