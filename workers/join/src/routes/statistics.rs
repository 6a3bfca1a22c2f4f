//! `GET /v1/statistics/places` and its export send the number of people in each place. The routes
//! of the time series send the population of one place, or of all places, over time.

use domain::PlaceId;
use edge::{Error, NORMALIZE, Request, Response, collection};
use futures_util::future::join;
use http_semantics::{MediaType, Problem};
use tables::series::SeriesQuery;

use crate::backends::{Backends, Known, list_is_unchanged};
use crate::domain::statistics::{Plan, StatisticsQuery};
use crate::service::statistics;

/// The number of people in each place. The last record counts the dead without a place.
///
/// # Errors
/// An invalid query, or a backend that failed.
pub async fn places(request: Request) -> Result<Response, Error> {
    let params = request.params(StatisticsQuery::PARAMETERS)?;
    let query = StatisticsQuery::from_params(&params, edge::now(), NORMALIZE)?;
    let format = request.table_format(&params)?;
    let known = match query.plan() {
        Plan::Ranges(_) => Known::of_list(&request, format).await?,
        Plan::Places(_) | Plan::Matches(_) => Known::of_steps(&request, format).await?,
    };
    if let Known::Current(seqs) = known {
        return Ok(list_is_unchanged(format, seqs));
    }
    let backends = Backends::with_timings(&request)?;
    statistics::list(&backends, &query, &request.query, format, known.seqs()).await
}

/// The statistics of all places, as a file.
///
/// # Errors
/// As [`places`].
pub async fn export(request: Request) -> Result<Response, Error> {
    let params = request.params(StatisticsQuery::EXPORT_PARAMETERS)?;
    let query = StatisticsQuery::from_params(&params, edge::now(), NORMALIZE)?;
    let format = collection::export_format(&request, &params)?;
    let backends = Backends::new(&request.env)?;
    statistics::export(backends, query, &request.query, format, request.is_head()).await
}

/// The population of all places at several times.
///
/// # Errors
/// An invalid query, or a people service that failed.
pub async fn series(request: Request) -> Result<Response, Error> {
    let (path, format) = series_of(&request, None)?;
    let backends = Backends::with_timings(&request)?;
    statistics::series(&request, &backends, &path, format).await
}

/// The population of a place at several times.
///
/// # Errors
/// As [`series`], and a place that does not exist.
pub async fn place_series(request: Request) -> Result<Response, Error> {
    let id = request.id()?;
    let (path, format) = series_of(&request, Some(id))?;
    let backends = Backends::with_timings(&request)?;
    let place = format!("/v1/places/{id}");
    let (place, series) = join(
        backends.places.get(&place),
        statistics::series(&request, &backends, &path, format),
    )
    .await;
    match place {
        Ok(place) if place.status() == 404 => Err(Problem::not_found("place", id.get()).into()),
        // The series needs no name, so it does not need the places service.
        _ => series,
    }
}

/// The path of a series at the people service, and its format. The path repeats the query, after a
/// check.
fn series_of(request: &Request, place: Option<PlaceId>) -> Result<(String, MediaType), Problem> {
    let params = request.params(SeriesQuery::PARAMETERS)?;
    SeriesQuery::from_params(&params, edge::now())?;
    let place = place.map(|id| format!("placeId={id}&"));
    let place = place.unwrap_or_default();
    let path = format!("/v1/people/population/series?{place}{}", request.query);
    Ok((path, request.table_format(&params)?))
}
