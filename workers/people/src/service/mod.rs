//! Operations with several steps. The routes call them, and they call the store.

mod pending;
mod write;

pub use pending::{PendingWrite, PendingWrites};
pub use write::PersonWriter;
