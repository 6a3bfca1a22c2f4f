//! `GET /v1/changes`

use edge::{Body, Error, Request, Response};
use http_semantics::media::LIST_MEDIA_TYPES;
use tables::{Cursor, page};

use crate::backends::Backends;
use crate::domain::ChangesQuery;

/// The changes of both tables after a cursor. There is always a link to the next page: later
/// changes will be on it.
///
/// # Errors
/// An invalid query, or a backend that failed.
pub async fn changes(request: Request) -> Result<Response, Error> {
    let query = ChangesQuery::read(&request.params(ChangesQuery::PARAMETERS)?)?;
    let format = request.format(LIST_MEDIA_TYPES)?;
    let backends = Backends::new(&request.env)?;
    let (places, people) = backends.get_both(&query.paths()).await?;
    let (places, people) = backends.bytes_of_both(&places, &people).await?;
    let (body, [places, people]) = query
        .merge(&places, &people, format.framing())
        .map_err(|malformed| backends.malformed_response(malformed))?;
    let next = Cursor::Pair(places, people).to_string();
    let link = page::since_link("/v1/changes", &request.query, &next);
    Ok(Response::ok(format.content_type(), Body::Bytes(body)).header("link", link))
}
