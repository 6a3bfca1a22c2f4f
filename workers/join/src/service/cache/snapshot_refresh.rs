//! The scheduled refresh of snapshots. It always refreshes the first page of each list and the
//! statistics of the overview page, and besides them the most recently requested snapshots. A
//! snapshot at the current change sequences is skipped.
//!
//! The oldest snapshots are first. So if a run has no calls left, the next one continues with the
//! rest. If one snapshot cannot be refreshed, the run continues with the others.

use domain::Param;
use edge::{Calls, Database, Env, Error, Response, Row};
use http_semantics::{MediaType, Params, Problem};
use tables::ChangeSeqs;
use tables::page::PeopleLimit;
use worker::console_error;

use super::snapshot_writer::SAVE;
use super::{is_disabled, snapshot_writer};
use crate::backends::{Backends, change_seqs};
use crate::domain::snapshot::{SNAPSHOT_MAX_BYTES, SNAPSHOT_REFRESH_COUNT, key, parse_key};
use crate::domain::statistics::StatisticsQuery;
use crate::domain::{ListQuery, READ_PARAMETERS};
use crate::service::{people_per_place, statistics};
use crate::store;

/// The calls of one refresh: a page of the join or some steps of the statistics, and the snapshot.
const REFRESH: Calls = Calls::services(9).and(SAVE);

/// Refreshes the outdated snapshots. `overview_query` is the query of the statistics that the
/// overview page shows first.
///
/// # Errors
/// A failure of D1.
pub async fn run(env: &Env, overview_query: &str) -> Result<(), Error> {
    if is_disabled(env) {
        return Ok(());
    }
    // While a backend is down, no response can be fresh.
    let Some(current) = change_seqs(env.clone()).await else {
        return Ok(());
    };
    let pinned = pinned(overview_query);
    let database = Database::new(env)?;
    let statement = store::snapshot::find_refreshable(&pinned, SNAPSHOT_REFRESH_COUNT);
    let rows = database.rows(&statement).await?;
    let saved = |row: &Row| {
        let change_seqs = ChangeSeqs {
            places: row.integer("places_seq")?,
            people: row.integer("people_seq")?,
        };
        Some((row.text("key")?, change_seqs))
    };
    let saved: Vec<_> = rows.iter().filter_map(saved).collect();
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
        if let Err(error) = refresh(env, &key).await {
            console_error!("refreshing a snapshot: {error}");
        }
    }
    Ok(())
}

/// The keys of the pinned snapshots.
fn pinned(overview_query: &str) -> Vec<String> {
    let requests = [
        ("/people-per-place", ""),
        ("/statistics/places", ""),
        ("/statistics/places", overview_query),
    ];
    requests
        .iter()
        .filter_map(|(path, query)| key(path, query, MediaType::Json))
        .collect()
}

/// Makes the response of a key again, and saves it.
async fn refresh(env: &Env, key: &str) -> Result<(), Error> {
    let Some((format, path, query)) = parse_key(key) else {
        return Ok(());
    };
    let requested_at = edge::now();
    let mut response = match response(env, path, query, format).await {
        // The place has been deleted since.
        Err(Error::Problem(problem)) if problem.status() == 404 => return Ok(()),
        response => response?,
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
            let list_query = ListQuery::read(&params)?;
            people_per_place::list(backends, list_query, query, format, false).await
        }
        "/statistics/places" => {
            let params = Params::parse(query, StatisticsQuery::PARAMETERS)?;
            let StatisticsQuery {
                populations,
                format: query_format,
            } = StatisticsQuery::read(&params, edge::now())?;
            statistics::list(
                &backends,
                populations,
                query,
                query_format.unwrap_or(format),
            )
            .await
        }
        _ => {
            let limit = Params::parse(query, READ_PARAMETERS)?.get("peopleLimit")?;
            let limit: PeopleLimit = limit.unwrap_or_default();
            let id = path.rsplit('/').next().and_then(Param::parse);
            let id = id.ok_or_else(Problem::unknown_route)?;
            people_per_place::read(&backends, id, limit, None).await
        }
    }
}
