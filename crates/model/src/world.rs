//! The two databases together, and short names for what is in them.

use crate::people::People;
use crate::person::Row;
use crate::places::Places;

/// A place, by a letter that a trace can be read by.
pub type Place = char;
/// A person's id.
pub type Person = u8;
/// The version of a person.
pub type Version = u8;
/// Whose deletion it is. A later one is greater.
pub type Token = u8;

/// Both databases.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct World {
    /// The register of places.
    pub places: Places,
    /// The register of people.
    pub people: People,
}

impl World {
    /// A world with these places and nobody in them.
    #[must_use]
    pub fn of(places: &str) -> Self {
        Self {
            places: Places::of(places),
            people: People::default(),
        }
    }

    /// With one person more.
    #[must_use]
    pub fn person(mut self, person: Person, row: Row) -> Self {
        self.people.seed(person, row);
        self
    }

    /// Whether the repair has nothing left to do.
    pub(crate) fn rests(&self) -> bool {
        self.people.in_doubt().is_empty() && self.places.tombstones().is_empty()
    }
}
