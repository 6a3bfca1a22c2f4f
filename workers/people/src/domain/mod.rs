//! People, their rules, and the queries.

mod by_place;
mod person;

pub use by_place::{ByPlace, Range};
pub use person::{Person, Residence};
