//! `/v1/places/*` and `/v1/people/*`: forwarded to the backends without changes.

use edge::change_stream::MEDIA_TYPE;
use edge::{Error, Method, Request, Response, ServiceClient};

use crate::backends::{header, people, places};

/// Forwards to the places service. A deletion may take longer than other writes.
///
/// # Errors
/// A problem that names the service, if it failed or timed out.
pub async fn to_places(request: Request) -> Result<Response, Error> {
    let places = places(&request.env)?;
    let places = match request.parts.method {
        Method::Delete => places.with_deletion_timeout(),
        _ => places,
    };
    forward(&places, &request).await
}

/// Forwards to the people service.
///
/// # Errors
/// As [`to_places`].
pub async fn to_people(request: Request) -> Result<Response, Error> {
    forward(&people(&request.env)?, &request).await
}

/// Forwards an import of places, with a longer timeout.
///
/// # Errors
/// As [`to_places`].
pub async fn import_places(request: Request) -> Result<Response, Error> {
    forward(&places(&request.env)?.with_import_timeout(), &request).await
}

/// Forwards an import of people, with a longer timeout.
///
/// # Errors
/// As [`to_places`].
pub async fn import_people(request: Request) -> Result<Response, Error> {
    forward(&people(&request.env)?.with_import_timeout(), &request).await
}

/// Forwards a batch of operations on places, which may wait for deletions and delete places itself.
///
/// # Errors
/// As [`to_places`].
pub async fn batch_of_places(request: Request) -> Result<Response, Error> {
    forward(&places(&request.env)?.with_deletion_timeout(), &request).await
}

/// Forwards a batch of operations on people, which may wait for deletions of places.
///
/// # Errors
/// As [`to_places`].
pub async fn batch_of_people(request: Request) -> Result<Response, Error> {
    forward(&people(&request.env)?.with_deletion_timeout(), &request).await
}

/// A response that a later request may get again is read completely. A stream of changes does not
/// end, and a file is not read either: it is too large
/// to keep, so it is passed on while it arrives.
async fn forward(backend: &ServiceClient, request: &Request) -> Result<Response, Error> {
    let response = backend.forward(&request.parts).await?;
    let is_reusable = request.parts.method == Method::Get
        && request.max_age_ms() > 0
        && response.status() == 200
        && header(&response, "content-type").is_none_or(|found| found != MEDIA_TYPE)
        && header(&response, "content-disposition").is_none();
    if is_reusable {
        backend.read_response(&response).await
    } else {
        Ok(Response::proxied(response))
    }
}
