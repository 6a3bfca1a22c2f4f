//! `GET /v1/statistics/places`

use edge::{Answer, Call, Error};
use http_semantics::media::TABLE_MEDIA_TYPES;

use crate::backends::{Backends, unchanged};
use crate::domain::statistics::StatisticsQuery;
use crate::service::statistics;

/// The number of people in each place, and at the end of those without a place.
///
/// # Errors
/// An invalid query, or a backend that failed.
pub async fn places(call: Call) -> Result<Answer, Error> {
    let params = call.params(StatisticsQuery::PARAMETERS)?;
    let query = StatisticsQuery::read(&params, edge::now())?;
    let format = match query.format {
        Some(format) => format,
        None => call.format(TABLE_MEDIA_TYPES)?,
    };
    if let Some(tag) = unchanged(&call, format).await? {
        return Ok(Answer::not_modified(&tag));
    }
    let backends = Backends::for_reader(&call)?;
    statistics::list(&backends, query.populations, &call.query, format).await
}
