//! `/v1/places/*` and `/v1/people/*`: forwarded to the backends unchanged.

use edge::{Error, Request, Response};

use crate::backends::{people, places};

/// Forwards to the places service.
///
/// # Errors
/// A problem that names the service, if it failed or timed out.
pub async fn to_places(request: Request) -> Result<Response, Error> {
    places(&request.env)?
        .forward(&request.parts)
        .await
        .map(Response::proxied)
}

/// Forwards to the people service.
///
/// # Errors
/// As [`to_places`].
pub async fn to_people(request: Request) -> Result<Response, Error> {
    people(&request.env)?
        .forward(&request.parts)
        .await
        .map(Response::proxied)
}

/// Forwards an import of places, with a longer timeout.
///
/// # Errors
/// As [`to_places`].
pub async fn import_places(request: Request) -> Result<Response, Error> {
    let places = places(&request.env)?.with_import_timeout();
    places.forward(&request.parts).await.map(Response::proxied)
}

/// Forwards an import of people, with a longer timeout.
///
/// # Errors
/// As [`to_places`].
pub async fn import_people(request: Request) -> Result<Response, Error> {
    let people = people(&request.env)?.with_import_timeout();
    people.forward(&request.parts).await.map(Response::proxied)
}
