//! `GET /v1/people-per-place` and `GET /v1/people-per-place/{id}`

mod list;
mod merging;
pub mod read;
pub mod sources;

use edge::{Answer, Body, Env, Error, Upstream};
use http_semantics::Problem;

use crate::domain::{Malformed, Merge};

pub use list::list;
pub use read::read;
pub use sources::{Services, change_seqs};

/// The owner of places.
///
/// # Errors
/// A worker without the binding.
pub fn places(env: &Env) -> Result<Upstream, Error> {
    Upstream::at_the_entry(env, "PLACES", "places")
}

/// The owner of people.
///
/// # Errors
/// A worker without the binding.
pub fn people(env: &Env) -> Result<Upstream, Error> {
    Upstream::at_the_entry(env, "PEOPLE", "people")
}

/// The answer of a form where the owner of people has failed: the places, and of their people
/// that they are not known. It is no answer for anybody to keep.
fn half(error: Error, merge: Merge, media_type: &str) -> Result<Answer, Error> {
    let problem = match error {
        Error::Problem(problem) if problem.service() == Some("people") => problem,
        other => return Err(other),
    };
    match merge.without_people() {
        Ok(body) => Ok(Answer::ok(media_type, Body::Bytes(body))
            .header("cache-control", "no-store")
            .lacking(problem)),
        Err(Malformed::Places | Malformed::Groups) => Err(Problem::service_failed("places").into()),
    }
}
