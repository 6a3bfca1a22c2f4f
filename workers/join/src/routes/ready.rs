//! `GET /readyz`

use edge::{Answer, Call, Error, health};
use futures_util::future::join3;

/// Whether the database and both backends are ready.
///
/// # Errors
/// An unknown parameter, or a problem that names the missing dependency.
pub async fn ready(call: Call) -> Result<Answer, Error> {
    call.params(&[])?;
    let env = &call.env;
    let (database, places, people) = join3(
        health::database(env),
        health::service(env, "PLACES", "places", "/readyz"),
        health::service(env, "PEOPLE", "people", "/readyz"),
    )
    .await;
    health::report(&[database, places, people])
}
