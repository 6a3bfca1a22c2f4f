//! `POST /v1/places/batch`: does several operations on places, all of them or none.

use edge::{Error, Request, Response, import};

use crate::service::PlaceImporter;

/// Does several operations on places, all of them or none.
///
/// # Errors
/// A malformed body, or operations of which some cannot be done.
pub async fn batch(request: Request) -> Result<Response, Error> {
    import::batch(request, PlaceImporter::new).await
}
