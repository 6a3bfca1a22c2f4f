//! Operations of several steps, between the routes and the store.

mod pending;
mod write;

pub use pending::{PendingWrite, PendingWrites};
pub use write::PersonWriter;
