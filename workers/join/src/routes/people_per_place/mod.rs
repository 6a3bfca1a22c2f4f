//! `GET /v1/people-per-place` and `GET /v1/people-per-place/{id}`

mod list;
mod merging;
pub mod read;
pub mod sources;

use edge::{Env, Error, Upstream};

pub use list::list;
pub use read::read;
pub use sources::{Services, marks};

/// The owner of places.
///
/// # Errors
/// A worker without the binding.
pub fn places(env: &Env) -> Result<Upstream, Error> {
    Upstream::of(env, "PLACES", "places")
}

/// The owner of people.
///
/// # Errors
/// A worker without the binding.
pub fn people(env: &Env) -> Result<Upstream, Error> {
    Upstream::of(env, "PEOPLE", "people")
}
