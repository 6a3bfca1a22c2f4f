//! Operations that take several steps. The routes call them, and they call the store.

mod erasure;
mod import;
mod pending;
mod write;

pub use erasure::erase;
pub use import::PeopleImporter;
pub use pending::{PendingWrite, PendingWrites};
pub use write::PersonWriter;
