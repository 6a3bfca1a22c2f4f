//! What the routes that write one person share.

use edge::Response;

use crate::domain::Person;
use crate::service::Written;

/// The response to a write.
#[must_use]
pub fn response(written: Written) -> Response {
    match written {
        Written::Created(stored) => stored.created_response::<Person>(),
        Written::Changed(stored) => stored.into_response(),
        Written::Replayed(stored) => stored.replayed_response::<Person>(),
    }
}
