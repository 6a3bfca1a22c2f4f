//! One file an address: parse, ask the services, answer.

mod changes;
mod dataset;
pub mod forward;
pub mod integrity;
pub mod people_per_place;
pub mod standby;
pub mod statistics;
pub mod ui;

use edge::{Call, Error, Method, access};

pub use changes::changes;
pub use dataset::dataset;
pub use integrity::{integrity, repair};

/// Who writes needs a token. The forms of the pages bring theirs in a cookie, and look at it
/// themselves.
///
/// # Errors
/// A writer without one.
pub fn guard(call: &Call, method: Method) -> Result<(), Error> {
    if call.path.starts_with("/ui/") {
        return Ok(());
    }
    access::writers_only(call, method)
}
