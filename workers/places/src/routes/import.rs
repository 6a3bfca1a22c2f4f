//! `POST /v1/places/import`: imports places from a file.

use edge::{Error, Request, Response, import};

use crate::service::PlaceImporter;

/// Imports places from a file.
///
/// # Errors
/// An invalid query or file, or a failure before anything was written.
pub async fn import(request: Request) -> Result<Response, Error> {
    import::import(request, PlaceImporter::new).await
}
