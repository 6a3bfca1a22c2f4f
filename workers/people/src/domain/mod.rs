//! What can be asked of the register of people.

mod by_place;
mod list;

pub use by_place::{ByPlace, Range};
pub use list::{Ids, PeopleList};
