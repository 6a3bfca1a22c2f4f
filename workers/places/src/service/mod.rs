//! Operations of several steps, between the routes and the store.

mod deletion;

pub use deletion::{Deletion, End, Token};
