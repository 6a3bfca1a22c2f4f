//! What can be asked of the register of places.

mod as_of;
mod list;
mod place;

pub use as_of::PlacesAsOf;
pub use list::PlaceList;
pub use place::Place;
