//! Operations of several steps, between the routes and the store.

mod deletion;
mod write;

pub use deletion::{Deletion, End, Token};
pub use write::PlaceWriter;
