//! `GET /v1/statistics/places`

use edge::{Error, Request, Response};
use http_semantics::media::TABLE_MEDIA_TYPES;

use crate::backends::{Backends, revalidate_list};
use crate::domain::statistics::StatisticsQuery;
use crate::service::statistics;

/// The number of people in each place. The last record counts the dead without a place.
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
    if let Some(tag) = revalidate_list(&request, format).await? {
        return Ok(Response::not_modified(&tag));
    }
    let backends = Backends::with_timings(&request)?;
    statistics::list(&backends, query.populations, &request.query, format).await
}
