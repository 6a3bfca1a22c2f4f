//! Places, their rules, and the queries.

mod as_of;
mod place;

pub use as_of::PlacesAsOf;
pub use place::Place;
