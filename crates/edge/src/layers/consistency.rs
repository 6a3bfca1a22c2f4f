//! Sets how current the data of a request must be ([`crate::env::consistency`]).

use http_semantics::Problem;
use http_semantics::bookmark::Bookmarks;

use crate::env::consistency::BOOKMARK_HEADER;
use crate::http::request::Request;
use crate::route::properties::ReadFrom;

/// Applies the client's bookmark and the property of the route.
///
/// # Errors
/// An invalid bookmark.
pub fn begin(request: &Request, read_from: ReadFrom) -> Result<(), Problem> {
    let sent = request.header_as::<Bookmarks>(BOOKMARK_HEADER)?;
    let consistency = request.env.consistency();
    let uses_primary = match read_from {
        ReadFrom::ByMethod => !request.parts.method.is_safe(),
        ReadFrom::Primary => true,
        ReadFrom::Replica => false,
    };
    consistency.begin(sent, uses_primary);
    // The gateway has no table of its own, so it requires the primary of both backends.
    if read_from == ReadFrom::Primary && !consistency.has_table() {
        consistency.require_newest();
    }
    Ok(())
}
