//! The basic types of the registry in plain Rust: ids, names, moments and the status of places.
//!
//! This crate does not depend on HTTP, SQL or Cloudflare.

pub mod id;
pub mod moment;
pub mod name;
pub mod param;
pub mod place_status;

pub use id::{PersonId, PlaceId, RecordId};
pub use moment::Moment;
pub use param::Param;
