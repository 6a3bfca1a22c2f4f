//! `GET /v1/changes`

use edge::{Answer, Body, Call, Error};
use futures_util::future::try_join;
use http_semantics::media::LIST;
use tables::{Cursor, page};

use super::people_per_place::sources::Services;
use crate::domain::Changes;

/// The changes of both registers behind a cursor. There is always a next page, for what is yet
/// to come.
///
/// # Errors
/// A query that cannot be used, or a service that failed.
pub async fn changes(call: Call) -> Result<Answer, Error> {
    let ask = Changes::read(&call.params(Changes::PARAMETERS)?)?;
    let format = call.format(LIST)?;
    let services = Services::of(&call.env)?;
    let [places, people] = ask.paths();
    let (places, people) = try_join(
        services.places.get_ok(&places),
        services.people.get_ok(&people),
    )
    .await?;
    let (places, people) = try_join(
        services.places.bytes(&places),
        services.people.bytes(&people),
    )
    .await?;
    let merged = ask.merged(&places, &people, format.frame());
    let (body, [places, people]) = merged.map_err(|malformed| services.blame(malformed))?;
    let next = Cursor::Pair(places, people).to_string();
    let link = page::since_link("/v1/changes", &call.query, &next);
    Ok(Answer::ok(format.media_type(), Body::Bytes(body)).header("link", link))
}
