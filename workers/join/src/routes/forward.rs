//! `/v1/places/*` and `/v1/people/*`: forwarded to the backends unchanged.

use edge::{Answer, Call, Error};

use crate::backends::{people, places};

/// Forwards to the places service.
///
/// # Errors
/// A problem that names the service, if it failed or timed out.
pub async fn to_places(call: Call) -> Result<Answer, Error> {
    places(&call.env)?
        .forward(&call.incoming)
        .await
        .map(Answer::proxied)
}

/// Forwards to the people service.
///
/// # Errors
/// As [`to_places`].
pub async fn to_people(call: Call) -> Result<Answer, Error> {
    people(&call.env)?
        .forward(&call.incoming)
        .await
        .map(Answer::proxied)
}

/// Forwards an import of places, with a longer timeout.
///
/// # Errors
/// As [`to_places`].
pub async fn import_places(call: Call) -> Result<Answer, Error> {
    let places = places(&call.env)?.with_import_timeout();
    places.forward(&call.incoming).await.map(Answer::proxied)
}

/// Forwards an import of people, with a longer timeout.
///
/// # Errors
/// As [`to_places`].
pub async fn import_people(call: Call) -> Result<Answer, Error> {
    let people = people(&call.env)?.with_import_timeout();
    people.forward(&call.incoming).await.map(Answer::proxied)
}
