//! `/v1/places/*` and `/v1/people/*`: forwards requests to the backends without changes.

use edge::change_stream::MEDIA_TYPE;
use edge::{Error, MAX_RECORD_BYTES, Method, Request, Response, ServiceClient};
use tables::operations::MAX_OPERATIONS_BYTES;

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
    forward(&places, &request, Some(MAX_RECORD_BYTES)).await
}

/// Forwards to the people service.
///
/// # Errors
/// As [`to_places`].
pub async fn to_people(request: Request) -> Result<Response, Error> {
    let people = people(&request.env)?;
    forward(&people, &request, Some(MAX_RECORD_BYTES)).await
}

/// Forwards an import of places, with a longer timeout.
///
/// # Errors
/// As [`to_places`].
pub async fn import_places(request: Request) -> Result<Response, Error> {
    let places = places(&request.env)?.with_import_timeout();
    forward(&places, &request, None).await
}

/// Forwards an import of people, with a longer timeout.
///
/// # Errors
/// As [`to_places`].
pub async fn import_people(request: Request) -> Result<Response, Error> {
    let people = people(&request.env)?.with_import_timeout();
    forward(&people, &request, None).await
}

/// Forwards a batch of operations on places, which may wait for deletions and delete places itself.
///
/// # Errors
/// As [`to_places`].
pub async fn batch_of_places(request: Request) -> Result<Response, Error> {
    let places = places(&request.env)?.with_deletion_timeout();
    forward(&places, &request, Some(MAX_OPERATIONS_BYTES)).await
}

/// Forwards a batch of operations on people, which may wait for deletions of places.
///
/// # Errors
/// As [`to_places`].
pub async fn batch_of_people(request: Request) -> Result<Response, Error> {
    let people = people(&request.env)?.with_deletion_timeout();
    forward(&people, &request, Some(MAX_OPERATIONS_BYTES)).await
}

/// A body of at most `max_bytes` is read before it is forwarded, so that the time of a slow client does
/// not count as that of the backend. Without a maximum the body is streamed: a file is too large to
/// keep, and its timeout is longer than the time in which it must arrive.
///
/// A response that a later request may get again is read completely. A stream of changes does not
/// end, and a file is not read either: it is passed on while it arrives.
async fn forward(
    backend: &ServiceClient,
    request: &Request,
    max_bytes: Option<usize>,
) -> Result<Response, Error> {
    let body = match max_bytes {
        Some(max_bytes) => request.body_to_forward(max_bytes).await?,
        None => None,
    };
    let response = backend.forward(&request.parts, body.as_ref()).await?;
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
