//! `/v1/places/*` and `/v1/people/*`: passed on to their owners, and back, as they are.

use edge::{Answer, Call, Error};

use crate::routes::people_per_place::{people, places};

/// To the places worker.
///
/// # Errors
/// A problem that names the service where it failed or was slow.
pub async fn to_places(call: Call) -> Result<Answer, Error> {
    places(&call.env)?
        .forward(&call.incoming)
        .await
        .map(Answer::proxied)
}

/// To the people worker.
///
/// # Errors
/// As [`to_places`].
pub async fn to_people(call: Call) -> Result<Answer, Error> {
    people(&call.env)?
        .forward(&call.incoming)
        .await
        .map(Answer::proxied)
}

/// An import of places, which takes its time.
///
/// # Errors
/// As [`to_places`].
pub async fn import_places(call: Call) -> Result<Answer, Error> {
    let places = places(&call.env)?.patient();
    places.forward(&call.incoming).await.map(Answer::proxied)
}

/// An import of people, which takes its time.
///
/// # Errors
/// As [`to_places`].
pub async fn import_people(call: Call) -> Result<Answer, Error> {
    let people = people(&call.env)?.patient();
    people.forward(&call.incoming).await.map(Answer::proxied)
}
