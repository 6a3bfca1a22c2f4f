//! `GET /v1/changes`

use edge::{Body, Error, Request, Response};
use futures_util::future::try_join;
use http_semantics::media::LIST_MEDIA_TYPES;
use http_semantics::{Problem, Validator};
use tables::{Cursor, page};

use crate::backends::{Backends, change_seq_header};
use crate::domain::ChangesQuery;
use crate::domain::MalformedResponse::{People, Places};

/// The status of a backend's response to a cursor from before a restore.
const RESTARTED: u16 = 410;

/// The changes of both tables after a cursor. There is always a link to the next page: later
/// changes will be on it.
///
/// # Errors
/// An invalid query, a cursor from before a restore, or a backend that failed.
pub async fn changes(request: Request) -> Result<Response, Error> {
    let query = ChangesQuery::read(&request.params(ChangesQuery::PARAMETERS)?)?;
    let format = request.format(LIST_MEDIA_TYPES)?;
    let backends = Backends::new(&request.env)?;
    let [places_path, people_path] = query.paths();
    let (places, people) = try_join(
        backends.places.get(&places_path),
        backends.people.get(&people_path),
    )
    .await?;
    if places.status() == RESTARTED || people.status() == RESTARTED {
        return Err(Problem::history_restarted().into());
    }
    let places = backends.places.require_ok(places)?;
    let people = backends.people.require_ok(people)?;
    let malformed = |malformed| backends.malformed_response(malformed);
    let places_end = change_seq_header(&places).ok_or_else(|| malformed(Places))?;
    let people_end = change_seq_header(&people).ok_or_else(|| malformed(People))?;
    let (places, people) = backends.bytes_of_both(&places, &people).await?;
    let merged = query.merge(&places, &people, format.framing());
    let (body, [places, people]) = merged.map_err(malformed)?;
    let next = Cursor::Changes(
        Validator {
            number: places,
            ..places_end
        },
        Validator {
            number: people,
            ..people_end
        },
    );
    let next = next.to_string();
    let link = page::since_link("/v1/changes", &request.query, &next);
    Ok(Response::ok(format.content_type(), Body::Bytes(body)).header("link", link))
}
