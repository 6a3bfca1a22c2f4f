//! `/v1/people` and `/v1/people/{id}`: forwards requests to the people service. If a client
//! requests the places of the people (`expand=place`), the gateway adds them to the response.

use std::sync::LazyLock;

use domain::PersonId;
use edge::collection::export_format;
use edge::{Error, Method, Request, Response};
use futures_util::future::LocalBoxFuture;
use http_semantics::media::TABLE_MEDIA_TYPES;
use http_semantics::{Params, Problem};
use tables::page::PAGE_PARAMETERS;
use tables::schema::PERSON_TABLE;

use crate::backends::{Backends, Known, list_is_unchanged};
use crate::domain::expansion::{EXPAND, without_expand};
use crate::routes::forward;
use crate::service::{expanded_export, expanded_people};

/// The parameters of a list of people.
static LIST_PARAMETERS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let filters = PERSON_TABLE.filters.iter().map(|filter| filter.name);
    let page = PAGE_PARAMETERS.into_iter();
    page.chain(filters).chain([EXPAND]).collect()
});

/// The parameters of an export of people.
static EXPORT_PARAMETERS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let filters = PERSON_TABLE.filters.iter().map(|filter| filter.name);
    let export = ["format", "after"].into_iter();
    export.chain(filters).chain([EXPAND]).collect()
});

/// People.
///
/// # Errors
/// An invalid query, or a service that failed.
pub async fn list(request: Request) -> Result<Response, Error> {
    let Some((query, _)) = expanded_query(&request, &LIST_PARAMETERS)? else {
        return forward(request).await;
    };
    let format = request.format(TABLE_MEDIA_TYPES)?;
    if let Known::Current(seqs) = Known::of_steps(&request, format).await? {
        return Ok(list_is_unchanged(format, seqs));
    }
    let backends = Backends::with_timings(&request)?;
    expanded_people::list(&backends, &request, &query, format).await
}

/// An export of people.
///
/// # Errors
/// As [`list`].
pub async fn export(request: Request) -> Result<Response, Error> {
    let Some((query, params)) = expanded_query(&request, &EXPORT_PARAMETERS)? else {
        return forward(request).await;
    };
    let format = export_format(&request, &params)?;
    let after = params.get("after")?;
    let backends = Backends::with_timings(&request)?;
    expanded_export::export(backends, &request, &query, format, after).await
}

/// The other paths below `/people/`, of which some are a person.
///
/// # Errors
/// As [`list`].
pub async fn read(request: Request) -> Result<Response, Error> {
    let id: Option<PersonId> = request.id().ok();
    let Some(id) = id else {
        return forward(request).await;
    };
    if expanded_query(&request, &[EXPAND])?.is_none() {
        return forward(request).await;
    }
    let backends = Backends::with_timings(&request)?;
    expanded_people::read(&backends, &request, id).await
}

/// The query without `expand=place`, if a read has it, and all parameters. The people service does
/// not know this parameter, so the gateway also names it to a client that sends an unknown one.
fn expanded_query(
    request: &Request,
    known: &'static [&'static str],
) -> Result<Option<(String, Params)>, Problem> {
    let is_read = [Method::Get, Method::Head].contains(&request.parts.method);
    if !is_read || request.query.is_empty() {
        return Ok(None);
    }
    let params = Params::parse(&request.query, known)?;
    let query = without_expand(&request.query)?;
    Ok(query.map(|query| (query, params)))
}

/// Forwards to the people service. The future is boxed, so that the binary contains it once.
fn forward(request: Request) -> LocalBoxFuture<'static, Result<Response, Error>> {
    Box::pin(forward::to_people(request))
}
