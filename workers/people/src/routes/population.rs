//! `GET /v1/people/population` sends the populations of places. `POST /internal/population` sends
//! those of the places that the gateway lists.

use edge::collection::list_unchanged;
use edge::{Body, Database, Error, Request, Response};
use http_semantics::media::TABLE_MEDIA_TYPES;
use http_semantics::{MediaType, Problem, Tag};
use tables::list::MAX_MATCHES;
use tables::page;
use tables::population::PopulationQuery;

use crate::store::{self, ListedPlaces};

/// A page of the populations of places, now or as of a time. The headers `X-Total-Living` and
/// `X-Total-Dead` count all people, and `X-Total-Nowhere` counts the dead without a place.
///
/// # Errors
/// An invalid query.
pub async fn population(request: Request) -> Result<Response, Error> {
    let format = request.format(TABLE_MEDIA_TYPES)?;
    let query = query(&request)?;
    let listed = query.ids.as_ref().map(|ids| ListedPlaces {
        ids: ids.to_json(),
        includes_empty: false,
    });
    respond(&request, &query, listed, format).await
}

/// The maximum size of a list of places: [`MAX_MATCHES`] ids.
const MAX_LIST_BYTES: usize = 400_000;

/// A page of the populations of the places whose ids are in the body, a JSON array, also of those
/// without people. Only the gateway calls it.
///
/// # Errors
/// An invalid query, or a body that is not UTF-8.
pub async fn listed_population(request: Request) -> Result<Response, Error> {
    let query = query(&request)?;
    let ids = String::from_utf8(request.body(MAX_LIST_BYTES).await?);
    let listed = ListedPlaces {
        ids: ids.map_err(|_| Problem::internal())?,
        includes_empty: true,
    };
    respond(&request, &query, Some(listed), MediaType::Json).await
}

fn query(request: &Request) -> Result<PopulationQuery, Problem> {
    let params = request.params(PopulationQuery::PARAMETERS)?;
    PopulationQuery::from_params(&params, edge::now())
}

async fn respond(
    request: &Request,
    query: &PopulationQuery,
    listed: Option<ListedPlaces>,
    format: MediaType,
) -> Result<Response, Error> {
    let known = request.known_change_seq(format)?;
    let statement = store::population(query, listed, format, known);
    let database = Database::new(&request.env)?;
    let Some((row, change_seq)) = database.row_if_changed(&statement, known).await? else {
        return Ok(list_unchanged(format, known));
    };
    let tag = Tag::from_change_seqs(format, &[change_seq]);
    let body = row.value("body");
    if body.is_null() {
        return Err(Problem::too_many_matches(MAX_MATCHES).into());
    }
    let next = row.text("cursor");
    let next = next.map(|after| page::next_link("/v1/people/population", &request.query, &after));
    // A response as of a time is not cached: the change sequence alone does not identify it.
    let change_seqs = query
        .as_of
        .is_none()
        .then(|| tables::ChangeSeqs::from_table(change_seq));
    let number = |column| row.integer(column).unwrap_or_default().to_string();
    Ok(Response::ok(format.content_type(), Body::Js(body))
        .with_change_seqs(change_seqs)
        .with_etag(&tag)
        .header_if("link", next)
        .header("x-total-living", number("living"))
        .header("x-total-dead", number("dead"))
        .header("x-total-nowhere", number("dead_without_place"))
        .header_if(
            "x-largest-total",
            row.integer("largest").map(|n| n.to_string()),
        ))
}
