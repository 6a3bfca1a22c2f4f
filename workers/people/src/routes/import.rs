//! `POST /v1/people/import`: imports people from a file.

use edge::{Error, Request, Response, import};

use crate::service::PeopleImporter;

/// Imports people from a file.
///
/// # Errors
/// An invalid query or file, or a failure before anything was written.
pub async fn import(request: Request) -> Result<Response, Error> {
    import::import(request, PeopleImporter::new).await
}
