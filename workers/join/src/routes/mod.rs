//! One file an address: parse, ask the services, answer.

mod changes;
mod dataset;
pub mod forward;
pub mod integrity;
pub mod pages;
pub mod people_per_place;
mod ready;
pub mod stale_if_error;
pub mod statistics;

use edge::{Call, Error, Method, access};
use http_semantics::auth::Token;

pub use changes::changes;
pub use dataset::dataset;
pub use integrity::{integrity, repair};
pub use ready::ready;

/// Who writes needs a token, and who reads may need one. The pages find theirs in a cookie, too,
/// and look at it themselves.
///
/// # Errors
/// A request without the token that it needs.
pub fn guard(call: &Call, method: Method) -> Result<Option<Token>, Error> {
    if call.path == "/" || call.path.starts_with("/ui/") {
        return Ok(None);
    }
    access::at_the_entry(call, method)
}
