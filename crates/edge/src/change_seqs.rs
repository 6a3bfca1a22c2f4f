//! The change sequences of both tables, which tell whether a stored response is still valid.
//!
//! Each write increases the change sequence of its table. A response that was made at the current
//! change sequences is valid, and reading them costs one row per table.

/// The header in which a backend sends the change sequence of its table to the gateway.
pub const CHANGE_SEQ_HEADER: &str = "x-change-counter";

/// The change sequences that a response was made at. A backend has one table, and sets both to
/// its change sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeSeqs {
    /// The change sequence of places.
    pub places: i64,
    /// The change sequence of people.
    pub people: i64,
}

impl ChangeSeqs {
    /// The change sequence of a backend's table.
    #[must_use]
    pub fn from_table(seq: i64) -> Self {
        Self {
            places: seq,
            people: seq,
        }
    }

    /// Places first.
    #[must_use]
    pub fn to_array(self) -> [i64; 2] {
        [self.places, self.people]
    }
}

impl From<[i64; 2]> for ChangeSeqs {
    fn from([places, people]: [i64; 2]) -> Self {
        Self { places, people }
    }
}
