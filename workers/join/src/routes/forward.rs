//! `/v1/places/*` and `/v1/people/*`: passed on to their owners, and back, as they are.

use edge::{Answer, Call, Error};

use crate::routes::people_per_place::{people, places};

/// To the places worker.
///
/// # Errors
/// A problem that names the service where it failed or was slow.
pub async fn to_places(call: Call) -> Result<Answer, Error> {
    places(&call.env)?
        .forward(&call.request)
        .await
        .map(Answer::passed)
}

/// To the people worker.
///
/// # Errors
/// As [`to_places`].
pub async fn to_people(call: Call) -> Result<Answer, Error> {
    people(&call.env)?
        .forward(&call.request)
        .await
        .map(Answer::passed)
}
