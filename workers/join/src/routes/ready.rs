//! `GET /readyz`: says whether the gateway's database and both backends are ready.

use edge::{Error, Request, Response, health};
use futures_util::future::join3;

/// Whether the gateway's database and both backends are ready.
///
/// # Errors
/// An unknown parameter, or a problem that names the dependencies that are not ready.
pub async fn ready(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    let env = &request.env;
    let checks = async {
        let (database, places, people) = join3(
            health::check_database(env),
            health::check_ready(env, "PLACES", "places"),
            health::check_ready(env, "PEOPLE", "people"),
        )
        .await;
        vec![database, places, people]
    };
    health::ready(&request, checks).await
}
