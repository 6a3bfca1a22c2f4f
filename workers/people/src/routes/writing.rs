//! What the routes that write one person share.

use edge::Answer;

use crate::service::Written;

/// The path of the collection.
pub const PEOPLE: &str = "/v1/people";

/// The response to a write.
#[must_use]
pub fn response(written: Written) -> Answer {
    match written {
        Written::Created(stored) => stored.into_created(PEOPLE),
        Written::Changed(stored) => stored.into_answer(),
        Written::Replayed(stored) => stored.replayed(PEOPLE),
    }
}
