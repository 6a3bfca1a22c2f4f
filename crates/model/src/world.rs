//! The state of the model: the two databases.

use crate::people::{People, Row};
use crate::places::Places;

/// The id of a place: a letter, so that a trace is easy to read.
pub type Place = char;
/// The id of a person.
pub type Person = u8;
/// The version of a person.
pub(crate) type Version = u8;
/// The fencing token of a deletion, or the id of a pending write. Later tokens are greater.
pub(crate) type Token = u8;

/// The state of both databases.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct World {
    pub(crate) places: Places,
    pub(crate) people: People,
}

impl World {
    /// A world with these places and no people.
    #[must_use]
    pub fn new(places: &str) -> Self {
        Self {
            places: Places::new(places),
            people: People::default(),
        }
    }

    /// Adds a person.
    #[must_use]
    pub fn person(mut self, person: Person, row: Row) -> Self {
        self.people.seed(person, row);
        self
    }

    /// Whether the repair has nothing to do.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.people.pending.is_empty() && self.places.tombstones.is_empty()
    }

    /// Whether two worlds have the same records. Pending writes and tombstones are not records.
    pub(crate) fn has_same_records(&self, other: &Self) -> bool {
        self.people.slots == other.people.slots && self.places.rows == other.places.rows
    }
}
