//! The scheduled refresh of snapshots: the first page of each list, the statistics of the
//! overview, and the snapshots that clients asked for last. Snapshots of the current change
//! sequences are skipped.

use domain::Param;
use edge::{Database, Env, Error, Response, Row};
use http_semantics::{MediaType, Params, Problem};
use tables::page::PeopleLimit;

use super::{is_off, snapshot_writer};
use crate::backends::{Backends, change_seqs};
use crate::domain::snapshot::{SNAPSHOT_MAX_BYTES, SNAPSHOT_REFRESH_COUNT, key, parse_key};
use crate::domain::statistics::StatisticsQuery;
use crate::domain::{ListQuery, READ_PARAMETERS};
use crate::service::{people_per_place, statistics};
use crate::store;

/// Refreshes the outdated snapshots. `overview` is the query of the statistics that the overview
/// page shows first.
///
/// # Errors
/// D1 failed, or a backend did.
pub async fn run(env: &Env, overview: &str) -> Result<(), Error> {
    if is_off(env) {
        return Ok(());
    }
    // While a backend is down there is nothing to save.
    let Some(current) = change_seqs(env.clone()).await else {
        return Ok(());
    };
    let pinned = pinned(overview);
    let database = Database::new(env)?;
    let statement = store::snapshot::find_wanted(&pinned, SNAPSHOT_REFRESH_COUNT);
    let rows = database.rows(&statement).await?;
    let saved = |row: &Row| {
        let change_seqs = [row.integer("places_seq")?, row.integer("people_seq")?];
        Some((row.text("key")?, change_seqs))
    };
    let saved: Vec<_> = rows.iter().filter_map(saved).collect();
    let missing = pinned
        .into_iter()
        .filter(|key| saved.iter().all(|(saved, _)| saved != key));
    let outdated = saved
        .iter()
        .filter(|(_, change_seqs)| *change_seqs != current.to_array())
        .map(|(key, _)| key.clone());
    for key in missing.chain(outdated) {
        refresh(env, &key).await?;
    }
    Ok(())
}

/// The keys that are refreshed even if no client asks for them.
fn pinned(overview: &str) -> Vec<String> {
    let pages = [
        ("/people-per-place", ""),
        ("/statistics/places", ""),
        ("/statistics/places", overview),
    ];
    let pages = pages.iter();
    pages
        .filter_map(|(path, query)| key(path, query, MediaType::Json))
        .collect()
}

async fn refresh(env: &Env, key: &str) -> Result<(), Error> {
    let Some((format, path, query)) = parse_key(key) else {
        return Ok(());
    };
    let started = edge::now();
    let mut response = match response(env, path, query, format).await {
        // The place has been deleted.
        Err(Error::Problem(problem)) if problem.status() == 404 => return Ok(()),
        response => response?,
    };
    if response.take_partial_reason().is_some() {
        return Ok(());
    }
    match response.into_copy(started, SNAPSHOT_MAX_BYTES).await? {
        Some(copy) => snapshot_writer::save(env, key, &copy, None).await,
        None => Ok(()),
    }
}

/// The response to a read of the API.
async fn response(
    env: &Env,
    path: &str,
    query: &str,
    format: MediaType,
) -> Result<Response, Error> {
    let backends = Backends::new(env)?;
    match path {
        "/people-per-place" => {
            let list = ListQuery::read(&Params::parse(query, ListQuery::PARAMETERS)?)?;
            people_per_place::list(backends, list, query, format, false).await
        }
        "/statistics/places" => {
            let params = Params::parse(query, StatisticsQuery::PARAMETERS)?;
            let StatisticsQuery {
                populations,
                format: named,
            } = StatisticsQuery::read(&params, edge::now())?;
            statistics::list(&backends, populations, query, named.unwrap_or(format)).await
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
