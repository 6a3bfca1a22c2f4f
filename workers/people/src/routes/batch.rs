//! `POST /v1/people/batch`: does several operations on people, all of them or none.

use edge::{Error, Request, Response, import};

use crate::service::PeopleImporter;

/// Does several operations on people, all of them or none.
///
/// # Errors
/// A malformed body, or operations of which some cannot be done.
pub async fn batch(request: Request) -> Result<Response, Error> {
    import::batch(request, PeopleImporter::new).await
}
