//! Sends a time series of the population: the number of people at each of several times. The people
//! service makes the series, and the gateway passes it on in the requested format.

use edge::{Body, Error, Request, Response};
use http_semantics::negotiation::Negotiable;
use http_semantics::{MediaType, Tag};

use crate::backends::{Backends, tag};

/// A series of the people service. If the path has a format, it is `format`.
///
/// # Errors
/// An invalid `If-None-Match`, or a people service that failed.
pub async fn series(
    request: &Request,
    backends: &Backends,
    path: &str,
    format: MediaType,
) -> Result<Response, Error> {
    let known = request.known_change_seq(format)?;
    let known = known.map(|change_seq| Tag::from_change_seqs(format, &[change_seq]).to_string());
    let mut headers = vec![("accept", format.essence())];
    headers.extend(known.as_deref().map(|tag| ("if-none-match", tag)));
    let response = backends.people.send("GET", path, &headers, None).await?;
    let tag = tag(&response);
    if response.status() == 304
        && let Some(tag) = tag
    {
        return Ok(Response::not_modified(&tag));
    }
    let response = backends.people.require_ok(response)?;
    let body = Body::Bytes(backends.people.bytes(&response).await?);
    Ok(Response::ok(format.content_type(), body).header_if("etag", tag.map(|tag| tag.to_string())))
}
