//! How many people live in each place.
//!
//! The owner of people keeps a count for each place that has anybody; the owner of places
//! knows the names, and the places that have nobody. A page is [gathered](Gathering) from both
//! and [written](Written) in the form that was asked for. Names stay the JSON that their owner
//! wrote: only a table has to look into them.

mod gathering;
mod read;
mod written;

pub use gathering::{Gathering, Part};
pub use read::{people, places};
pub use written::{COLUMNS, Written};

/// A place, as its owner shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The id.
    pub id: i64,
    /// The name, as JSON.
    pub name: String,
}

/// The people of a place in numbers, as the owner of people shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Population {
    /// The place.
    pub place_id: i64,
    /// How many live there.
    pub living: i64,
    /// How many lie there.
    pub dead: i64,
    /// The king, if there is one.
    pub king: Option<King>,
}

/// A king.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct King {
    /// The person's id.
    pub id: i64,
    /// The person's name, as JSON.
    pub name: String,
}

/// A place with its people in numbers: none where it has nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The place.
    pub place: Place,
    /// Its people.
    pub people: Option<Population>,
}

#[cfg(test)]
mod tests;
