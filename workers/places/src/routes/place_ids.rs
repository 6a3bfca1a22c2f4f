//! `POST /internal/place-ids`: finds the ids of places by their names. The people worker calls it
//! during an import whose records have the names of places instead of ids. Clients cannot reach
//! this path, because the gateway does not forward requests to it.

use domain::name::Name;
use edge::{Database, Error, NORMALIZE, Request, Response};
use http_semantics::Problem;

use crate::service;

/// The maximum size of the names of a batch.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// The ids of the places with the names in the body, in the same order: `["Veranolandia","x"]` has
/// the ids `[3,null]`. With `create=true`, the missing places are created.
///
/// # Errors
/// An invalid query or body, or an error of D1.
pub async fn place_ids(request: Request) -> Result<Response, Error> {
    let create: Option<bool> = request.params(&["create"])?.get("create")?;
    let body = request.body(MAX_BYTES).await?;
    let names: Option<Vec<String>> = serde_json::from_slice(&body).ok();
    let names: Option<Vec<Name>> = names
        .into_iter()
        .flatten()
        .map(|name| Name::new(&name, NORMALIZE))
        .collect();
    let names = names.ok_or_else(Problem::internal)?;
    let database = Database::new(&request.env)?;
    let author = create.unwrap_or(false).then(|| request.env.author());
    let ids = service::place_ids(&database, names, author.as_ref()).await?;
    let body = serde_json::to_string(&ids).map_err(|_| Problem::internal())?;
    Ok(Response::json(body))
}
