//! Operations that take several steps. The routes call them, and they call the store.

mod deletion;
mod import;
mod place_ids;
mod reservation;
mod write;

pub use deletion::{Deletion, DeletionOutcome, Token};
pub use import::PlaceImporter;
pub use place_ids::place_ids;
pub use write::PlaceWriter;
