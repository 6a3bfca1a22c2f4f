//! Statistics: the number of people in each place.
//!
//! The people service counts the places that have anyone. The places service has the names, and
//! the places without anyone. A [`StatisticsPageBuilder`] joins both, and [`render`] writes the
//! page in the requested format.

mod page_builder;
mod render;

use http_semantics::{MediaType, Params, Problem};
use serde::de::DeserializeOwned;
use tables::population::PopulationQuery;

use super::Malformed;

pub use page_builder::{Part, StatisticsPageBuilder};
pub use pages::api::{King, Place, Population};
pub use render::{COLUMNS, render};

/// The query of `GET /v1/statistics/places`.
#[derive(Debug)]
pub struct StatisticsQuery {
    /// The populations, their order and their limit.
    pub populations: PopulationQuery,
    /// The format, if the query names one.
    pub format: Option<MediaType>,
}

impl StatisticsQuery {
    /// The parameters of the query.
    pub const PARAMETERS: &[&str] = &["limit", "after", "sort", "least", "asOf", "format"];

    /// Parses the query; `now` is in milliseconds since 1970.
    ///
    /// # Errors
    /// An invalid value.
    pub fn read(params: &Params, now: i64) -> Result<Self, Problem> {
        Ok(Self {
            populations: PopulationQuery::from_params(params, now)?,
            format: params.get("format")?,
        })
    }
}

/// A place with its population: none if the place is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The place.
    pub place: Place,
    /// Its population.
    pub population: Option<Population>,
}

/// Parses an array of places.
///
/// # Errors
/// Any other body.
pub fn places(body: &[u8]) -> Result<Vec<Place>, Malformed> {
    parse(body, Malformed::Places)
}

/// Parses an array of populations.
///
/// # Errors
/// Any other body.
pub fn populations(body: &[u8]) -> Result<Vec<Population>, Malformed> {
    parse(body, Malformed::Groups)
}

fn parse<T: DeserializeOwned>(body: &[u8], malformed: Malformed) -> Result<Vec<T>, Malformed> {
    serde_json::from_slice(body).map_err(|_| malformed)
}

#[cfg(test)]
mod tests;
