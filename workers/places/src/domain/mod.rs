//! What can be asked of the register of places.

mod list;
mod place;

pub use list::PlaceList;
pub use place::Place;
