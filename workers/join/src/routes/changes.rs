//! `GET /v1/changes`

use edge::{Body, Error, Request, Response};
use futures_util::future::try_join;
use http_semantics::media::LIST_MEDIA_TYPES;
use tables::{Cursor, page};

use crate::backends::Backends;
use crate::domain::Changes;

/// The changes of both tables after a cursor. There is always a next page, for changes to come.
///
/// # Errors
/// An invalid query, or a backend that failed.
pub async fn changes(request: Request) -> Result<Response, Error> {
    let query = Changes::read(&request.params(Changes::PARAMETERS)?)?;
    let format = request.format(LIST_MEDIA_TYPES)?;
    let backends = Backends::new(&request.env)?;
    let [places, people] = query.paths();
    let (places, people) = try_join(
        backends.places.get_ok(&places),
        backends.people.get_ok(&people),
    )
    .await?;
    let (places, people) = try_join(
        backends.places.bytes(&places),
        backends.people.bytes(&people),
    )
    .await?;
    let merged = query.merged(&places, &people, format.framing());
    let (body, [places, people]) =
        merged.map_err(|malformed| backends.malformed_response(malformed))?;
    let next = Cursor::Pair(places, people).to_string();
    let link = page::since_link("/v1/changes", &request.query, &next);
    Ok(Response::ok(format.content_type(), Body::Bytes(body)).header("link", link))
}
