//! The two databases, and short names for their contents.

use crate::people::{People, Row};
use crate::places::Places;

/// The id of a place: a letter, so that a trace is easy to read.
pub type Place = char;
/// The id of a person.
pub type Person = u8;
/// The version of a person.
pub type Version = u8;
/// Identifies the owner of a deletion, or a pending write. A later one is greater.
pub type Token = u8;

/// Both databases.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct World {
    /// The database of the places worker.
    pub places: Places,
    /// The database of the people worker.
    pub people: People,
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

    /// Whether the repair has nothing left to do.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.people.pending().is_empty() && self.places.tombstones().is_empty()
    }

    /// Whether a reader sees the same records in both worlds. Pending writes and tombstones
    /// are no records.
    pub(crate) fn shows_the_same(&self, other: &Self) -> bool {
        self.people.slots() == other.people.slots() && self.places.rows() == other.places.rows()
    }
}
