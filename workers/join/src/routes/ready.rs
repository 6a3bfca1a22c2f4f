//! `GET /readyz`

use edge::{Answer, Call, Error, health};
use futures_util::future::join3;

/// Whether all that answers need is there.
///
/// # Errors
/// A query where none is known, or a problem that names what is not there.
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
