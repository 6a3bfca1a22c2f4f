//! `GET /readyz`

use edge::{Error, Request, Response, health};
use futures_util::future::join3;

/// Whether the gateway's database and both backends are ready.
///
/// # Errors
/// An unknown parameter, or a problem that names the dependencies that are not ready.
pub async fn ready(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    let env = &request.env;
    health::ready(async {
        let (database, places, people) = join3(
            health::check_database(env),
            health::check_service(env, "PLACES", "places", "/readyz"),
            health::check_service(env, "PEOPLE", "people", "/readyz"),
        )
        .await;
        vec![database, places, people]
    })
    .await
}
