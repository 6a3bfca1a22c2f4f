//! How current the data of a request must be. A client sends the bookmark of an earlier response
//! (`X-D1-Bookmark`) and reads nothing older. Data that decides a write comes from the primary.

use http_semantics::Problem;
use http_semantics::bookmark::Bookmarks;

use crate::d1::consistency::BOOKMARK;
use crate::http::request::Request;
use crate::route::properties::ReadFrom;

/// Applies the client's bookmark and the property of the route.
///
/// # Errors
/// A header that is not a bookmark.
pub fn begin(request: &Request, read_from: ReadFrom) -> Result<(), Problem> {
    let sent = request.header_as::<Bookmarks>(BOOKMARK)?;
    let reading = request.env.reading();
    let is_of_primary = match read_from {
        ReadFrom::ByMethod => !request.parts.method.is_safe(),
        ReadFrom::Primary => true,
        ReadFrom::Replica => false,
    };
    reading.begin(sent, is_of_primary);
    // The gateway has no table of its own: it asks the services for the primary.
    if read_from == ReadFrom::Primary && !reading.keeps_register() {
        reading.demand_newest();
    }
    Ok(())
}
