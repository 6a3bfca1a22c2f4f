//! How current the data of a request must be. A client sends the bookmark of an earlier response
//! (`X-D1-Bookmark`) and reads nothing older. Data that decides a write comes from the primary.

use http_semantics::Problem;
use http_semantics::bookmark::Bookmarks;

use crate::d1::consistency::BOOKMARK_HEADER;
use crate::http::request::Request;
use crate::route::properties::ReadFrom;

/// Applies the client's bookmark and the property of the route.
///
/// # Errors
/// A header that is not a bookmark.
pub fn begin(request: &Request, read_from: ReadFrom) -> Result<(), Problem> {
    let sent = request.header_as::<Bookmarks>(BOOKMARK_HEADER)?;
    let consistency = request.env.consistency();
    let uses_primary = match read_from {
        ReadFrom::ByMethod => !request.parts.method.is_safe(),
        ReadFrom::Primary => true,
        ReadFrom::Replica => false,
    };
    consistency.begin(sent, uses_primary);
    // The gateway has no table of its own: it asks the services for the primary.
    if read_from == ReadFrom::Primary && !consistency.has_database() {
        consistency.require_newest();
    }
    Ok(())
}
