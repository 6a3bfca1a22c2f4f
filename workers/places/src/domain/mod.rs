//! The type of a place and its rules, and the queries for places.

mod as_of;
mod operation_id;
mod place;

pub use as_of::PlacesAsOfQuery;
pub use operation_id::OperationId;
pub use place::Place;
