//! What can be asked of the register of places.

mod list;

pub use list::PlaceList;
