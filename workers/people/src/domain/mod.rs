//! A person and their rules, and the query for people grouped by place.

mod by_place;
mod person;

pub use by_place::{ByPlaceQuery, PlaceRange};
pub use person::{Person, Residence};
