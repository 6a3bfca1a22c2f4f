//! A place and its rules, and the queries for places.

mod as_of;
mod place;

pub use as_of::PlacesAsOfQuery;
pub use place::Place;
