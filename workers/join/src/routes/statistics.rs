//! `GET /v1/statistics/places`

use edge::{Error, Request, Response};
use http_semantics::media::TABLE_MEDIA_TYPES;

use crate::backends::{Backends, unchanged};
use crate::domain::statistics::StatisticsQuery;
use crate::service::statistics;

/// The number of people in each place, and at the end of those without a place.
///
/// # Errors
/// An invalid query, or a backend that failed.
pub async fn places(request: Request) -> Result<Response, Error> {
    let params = request.params(StatisticsQuery::PARAMETERS)?;
    let query = StatisticsQuery::read(&params, edge::now())?;
    let format = match query.format {
        Some(format) => format,
        None => request.format(TABLE_MEDIA_TYPES)?,
    };
    if let Some(tag) = unchanged(&request, format).await? {
        return Ok(Response::not_modified(&tag));
    }
    let backends = Backends::for_reader(&request)?;
    statistics::list(&backends, query.populations, &request.query, format).await
}
