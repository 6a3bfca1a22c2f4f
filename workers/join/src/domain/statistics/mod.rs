//! The statistics: the number of people in each place.
//!
//! The people service counts the people of each place. It does not know the places without people.
//! The places service knows all places and their names. A [`StatisticsPageBuilder`] joins the
//! responses of both, and [`render`] writes the page in the requested format.

mod page_builder;
mod query;
mod render;

use http_semantics::from_json;
use http_semantics::from_json::present;
use serde::Serialize;

use super::MalformedResponse;

pub use page_builder::{
    Part, StatisticsPageBuilder, in_order, missing_places, with_names, with_populations,
};
pub use query::{Plan, StatisticsQuery, StatisticsSort};
pub use render::{COLUMNS, render};

/// A place, as the places service sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPlace {
    /// The id.
    pub id: i64,
    /// The name.
    pub name: String,
}

/// The number of people in a place, as the people service sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Population {
    /// The place.
    pub place_id: i64,
    /// The living.
    pub living: i64,
    /// The dead.
    pub dead: i64,
    /// The king. The member is required: it is `null` without a king.
    pub king: Option<King>,
}

/// The king of a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct King {
    /// The person's id.
    pub id: i64,
    /// The person's name. None: the person was erased since the time of the statistics.
    pub name: Option<String>,
}

impl King {
    /// The id and the name of a present king, who is not erased.
    #[must_use]
    pub fn present(self) -> Option<(i64, String)> {
        Some(self.id).zip(self.name)
    }
}

from_json! {
    NamedPlace { id, name }
    Population { place_id: "placeId", living, dead, king: present("king") }
    King { id, name: present("name") }
}

/// A place with its population. A place without people has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The place.
    pub place: NamedPlace,
    /// Its population.
    pub population: Option<Population>,
}

/// Parses an array of places.
///
/// # Errors
/// Any other body.
pub fn places(body: &[u8]) -> Result<Vec<NamedPlace>, MalformedResponse> {
    from_json::parse(body).ok_or(MalformedResponse::Places)
}

/// Parses an array of populations.
///
/// # Errors
/// Any other body.
pub fn populations(body: &[u8]) -> Result<Vec<Population>, MalformedResponse> {
    from_json::parse(body).ok_or(MalformedResponse::People)
}

#[cfg(test)]
mod tests;
