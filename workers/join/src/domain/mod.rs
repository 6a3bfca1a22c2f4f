//! The join itself, the statistics and the feed of changes, and what can be asked of them.

mod changes;
mod integrity;
mod merge;
mod people_per_place;
pub mod saving;
pub mod session;
pub mod snapshot;
pub mod statistics;

pub use changes::Changes;
pub use integrity::{Residents, of_no_place};
pub use merge::{Malformed, Merge};
pub use people_per_place::PeoplePerPlace;
