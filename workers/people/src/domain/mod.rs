//! What can be asked of the register of people.

mod by_place;
mod list;
mod person;

pub use by_place::{ByPlace, Range};
pub use list::PeopleList;
pub use person::{Person, Residence};
