//! Removes the responses that were made before a person was erased, so that no tier of the cache
//! contains the name.
//!
//! The gateway runs [`forget`] after each erasure. A scheduled run calls [`catch_up`], for an
//! erasure that bypassed the gateway, or whose request was lost before [`forget`].
//!
//! Other isolates still have older responses in memory. They never send these as current, because
//! the change sequences differ. They never send them as stale either, because they compare them
//! with [`latest`].

use std::cell::Cell;

use edge::{Database, Env, Error, Row, clear_response_cache, now, with_timeout};

use crate::backends::people_erasure;
use crate::domain::snapshot::SNAPSHOT_READ_TIMEOUT_MS;
use crate::service::cache::parts;
use crate::store;

/// The time for which an isolate does not read the latest erasure again.
const REREAD_MS: i64 = 10_000;

thread_local! {
    /// The latest erasure that this isolate knows of, and when it was read.
    static KNOWN: Cell<Option<(i64, i64)>> = const { Cell::new(None) };
}

/// Deletes the responses that were made before an erasure, which has this change sequence.
///
/// # Errors
/// A failure of D1.
pub async fn forget(env: &Env, people_seq: i64) -> Result<(), Error> {
    clear_memory();
    let forget = store::erasure::forget(people_seq);
    Database::new(env)?.batch(&forget).await.map(drop)
}

/// Deletes the responses that were made before the latest erasure, unless that was done. `known`
/// is the row of [`store::erasure::latest`]. The result is the change sequence of the erasure.
///
/// # Errors
/// A failure of D1 or of the people service.
pub async fn catch_up(env: &Env, known: &[Row]) -> Result<i64, Error> {
    let known = change_seq(known.first());
    let people_seq = people_erasure(env).await?;
    if people_seq != known {
        clear_memory();
        let catch_up = store::erasure::catch_up(known, people_seq);
        Database::new(env)?.batch(&catch_up).await?;
    }
    Ok(people_seq)
}

/// Removes all responses of this isolate.
fn clear_memory() {
    clear_response_cache();
    parts::clear();
}

fn change_seq(row: Option<&Row>) -> i64 {
    row.and_then(|row| row.integer("people_seq"))
        .unwrap_or_default()
}

/// The change sequence of the latest erasure. If the database does not respond, the last one that
/// this isolate has read, or 0.
pub async fn latest(env: &Env) -> i64 {
    let known = KNOWN.get();
    if let Some((people_seq, read_at)) = known
        && now() - read_at < REREAD_MS
    {
        return people_seq;
    }
    let row = async { Database::new(env)?.row(&store::erasure::latest()).await };
    let row = with_timeout(SNAPSHOT_READ_TIMEOUT_MS, row).await;
    let people_seq = match row {
        Some(Ok(row)) => change_seq(row.as_ref()),
        Some(Err::<_, Error>(_)) | None => known.map_or(0, |(people_seq, _)| people_seq),
    };
    KNOWN.set(Some((people_seq, now())));
    people_seq
}
