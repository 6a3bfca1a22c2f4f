//! `GET /v1/people/population`

use edge::{Body, Database, Error, Request, Response};
use http_semantics::media::TABLE_MEDIA_TYPES;
use http_semantics::{Problem, Tag};
use tables::page;
use tables::population::PopulationQuery;

use crate::store;

/// How many live, and lie, in each place; in headers, how many live in all (`X-Total-Living`),
/// how many are dead (`X-Total-Dead`), and how many of those are of no place
/// (`X-Total-Nowhere`).
///
/// # Errors
/// A query that cannot be used.
pub async fn population(request: Request) -> Result<Response, Error> {
    let ask =
        PopulationQuery::from_params(&request.params(PopulationQuery::PARAMETERS)?, edge::now())?;
    let format = request.format(TABLE_MEDIA_TYPES)?;
    let seen = request.known_change_seq(format)?;
    let row = Database::new(&request.env)?
        .row(&store::population(&ask, format, seen))
        .await?;
    let row = row.ok_or_else(Problem::internal)?;
    let counter = row.integer("change_seq").unwrap_or_default();
    let tag = Tag::from_change_seqs(format, &[counter]);
    if seen == Some(counter) {
        return Ok(Response::not_modified(&tag));
    }
    let next = row.text("cursor");
    let next = next.map(|after| page::next_link("/v1/people/population", &request.query, &after));
    // What was, is told by the time too.
    let change_seqs = Some(tables::ChangeSeqs::from_table(counter)).filter(|_| ask.as_of.is_none());
    let number = |column| row.integer(column).unwrap_or_default().to_string();
    Ok(
        Response::ok(format.content_type(), Body::Js(row.value("body")))
            .with_change_seqs(change_seqs)
            .with_etag(&tag)
            .header_if("link", next)
            .header("x-total-living", number("living"))
            .header("x-total-dead", number("dead"))
            .header("x-total-nowhere", number("dead_without_place")),
    )
}
