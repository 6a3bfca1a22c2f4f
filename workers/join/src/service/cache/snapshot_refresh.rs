//! Refreshes snapshots on a schedule. A run first deletes the snapshots from before the latest
//! erasure. Then it refreshes the overview page, the first pages of `/v1/people-per-place` and of
//! the statistics, and the most recently requested snapshots. It skips a snapshot that is at the
//! current change sequences.
//!
//! A run makes missing snapshots first, and then continues with the oldest. So if it has no calls
//! left, the next run refreshes the rest. If one snapshot cannot be refreshed, the run continues
//! with the next.

use domain::Param;
use edge::{Calls, Database, Env, Error, Response, Row};
use futures_util::future::LocalBoxFuture;
use http_semantics::{MediaType, Params, Problem};
use tables::ChangeSeqs;
use worker::console_error;

use super::snapshot_writer::SAVE;
use super::{change_seqs_of, erasure, is_disabled, snapshot_writer};
use crate::backends::{Backends, change_seqs};
use crate::domain::snapshot::{SNAPSHOT_MAX_BYTES, SNAPSHOT_REFRESH_COUNT, key, parse_key};
use crate::domain::statistics::StatisticsQuery;
use crate::domain::{ListQuery, ReadQuery};
use crate::service::{people_per_place, statistics};
use crate::store;

/// The calls of one refresh: a page of the join or some steps of the statistics, and the snapshot.
const REFRESH: Calls = Calls::services(9).and(SAVE);

/// Makes the data of a page again, by its path and query. None if the page no longer exists.
pub type PageData =
    fn(Env, String, String) -> LocalBoxFuture<'static, Result<Option<Response>, Error>>;

/// Refreshes the outdated snapshots. `overview_query` is the query of the first overview page.
///
/// # Errors
/// A failure of D1 or of a backend.
pub async fn run(env: &Env, overview_query: &str, page_data: PageData) -> Result<(), Error> {
    // While a backend is down, no response can be fresh.
    let Some(current) = change_seqs(env.clone()).await else {
        return Ok(());
    };
    let pinned = pinned(overview_query);
    let statements = [
        store::erasure::latest(),
        store::snapshot::find_refreshable(&pinned, SNAPSHOT_REFRESH_COUNT),
    ];
    let database = Database::new(env)?;
    let results = database.batch(&statements).await?;
    let [known, rows] = results.as_slice() else {
        return Err(Problem::internal().into());
    };
    let latest_erasure = erasure::catch_up(env, known).await?;
    if is_disabled(env) {
        return Ok(());
    }
    let saved = |row: &Row| Some((row.text("key")?, change_seqs_of(row)?));
    let mut saved: Vec<_> = rows
        .iter()
        .filter_map(saved)
        .filter(|(_, change_seqs)| change_seqs.people.number >= latest_erasure)
        .collect();
    // After a restore, the snapshots show states that have not happened.
    let is_known = |(_, change_seqs): &(String, ChangeSeqs)| current.has_history_of(change_seqs);
    if !saved.iter().all(is_known) {
        let statement = store::snapshot::delete_other_histories(&current);
        database.batch(&[statement]).await?;
        saved.retain(is_known);
    }
    let missing = pinned
        .into_iter()
        .filter(|key| saved.iter().all(|(saved, _)| saved != key));
    let outdated = saved
        .iter()
        .filter(|(_, change_seqs)| *change_seqs != current)
        .map(|(key, _)| key.clone());
    for key in missing.chain(outdated) {
        if !env.quota().has(REFRESH) {
            break;
        }
        if let Err(error) = refresh(env, &key, page_data).await {
            console_error!("refreshing a snapshot: {error}");
        }
    }
    Ok(())
}

/// The keys of the first pages, which every run refreshes.
fn pinned(overview_query: &str) -> Vec<String> {
    let requests = [
        ("/people-per-place", ""),
        ("/statistics/places", ""),
        ("/", overview_query),
    ];
    requests
        .iter()
        .filter_map(|(path, query)| key(path, query, MediaType::Json))
        .collect()
}

/// Makes the response of a key again, and saves it.
async fn refresh(env: &Env, key: &str, page_data: PageData) -> Result<(), Error> {
    let Some((format, path, query)) = parse_key(key) else {
        return Ok(());
    };
    let requested_at = edge::now();
    let is_page = path == "/" || path.starts_with("/ui/");
    let response = if is_page {
        page_data(env.clone(), path.to_owned(), query.to_owned()).await
    } else {
        response(env, path, query, format).await.map(Some)
    };
    let mut response = match response {
        Ok(Some(response)) => response,
        // The place has been deleted since.
        Ok(None) => return Ok(()),
        Err(Error::Problem(problem)) if problem.status() == 404 => return Ok(()),
        Err(error) => return Err(error),
    };
    if response.take_partial_reason().is_some() {
        return Ok(());
    }
    let response = response.into_copy(requested_at, SNAPSHOT_MAX_BYTES);
    match response.await? {
        Some(response) => snapshot_writer::save(env, key, &response, None).await,
        None => Ok(()),
    }
}

/// The response of the API to a request that can be cached.
async fn response(
    env: &Env,
    path: &str,
    query: &str,
    format: MediaType,
) -> Result<Response, Error> {
    let backends = Backends::new(env)?;
    match path {
        "/people-per-place" => {
            let params = Params::parse(query, ListQuery::PARAMETERS)?;
            let format = params.get("format")?.unwrap_or(format);
            let list_query = ListQuery::read(&params)?;
            people_per_place::list(backends, list_query, query, format, false, None).await
        }
        "/statistics/places" => {
            let params = Params::parse(query, StatisticsQuery::PARAMETERS)?;
            let format = params.get("format")?.unwrap_or(format);
            let statistics_query =
                StatisticsQuery::from_params(&params, edge::now(), edge::NORMALIZE)?;
            statistics::list(&backends, &statistics_query, query, format, None).await
        }
        _ => {
            let read_query = ReadQuery::read(&Params::parse(query, ReadQuery::PARAMETERS)?)?;
            let id = path.rsplit('/').next().and_then(Param::parse);
            let id = id.ok_or_else(Problem::unknown_route)?;
            people_per_place::read(&backends, id, &read_query, None).await
        }
    }
}
