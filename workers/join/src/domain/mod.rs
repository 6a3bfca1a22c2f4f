//! The join itself, and what can be asked of it.

mod merge;
mod people_per_place;

pub use merge::{Malformed, Merge};
pub use people_per_place::PeoplePerPlace;
