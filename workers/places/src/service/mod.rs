//! Operations with several steps. The routes call them, and they call the store.

mod deletion;
mod write;

pub use deletion::{Deletion, DeletionOutcome, Token};
pub use write::PlaceWriter;
