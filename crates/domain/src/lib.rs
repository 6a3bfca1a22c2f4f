//! The terms of the registry, as pure Rust: ids, names, moments, and the status of places.
//!
//! Nothing here knows of HTTP, SQL or Cloudflare.

pub mod id;
pub mod ids;
pub mod moment;
pub mod name;
pub mod param;
pub mod place_status;

pub use id::{PersonId, PlaceId, RecordId};
pub use moment::Moment;
pub use param::Param;
