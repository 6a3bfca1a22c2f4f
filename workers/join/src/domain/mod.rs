//! The join itself, and what can be asked of it.

mod integrity;
mod merge;
mod people_per_place;

pub use integrity::{Residents, of_no_place};
pub use merge::{Malformed, Merge};
pub use people_per_place::PeoplePerPlace;
