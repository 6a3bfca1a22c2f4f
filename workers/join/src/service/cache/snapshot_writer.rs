//! Writes snapshots in the background, at the pace of a [`SnapshotQueue`].

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use edge::{CachedResponse, Database, Env, Error, Request, now, pause};
use worker::console_error;

use super::is_off;
use super::stale_response::{headers, text};
use crate::domain::ChangeSeqs;
use crate::domain::snapshot::{SNAPSHOT_MAX_BYTES, Snapshot};
use crate::domain::snapshot_queue::{Queued, SnapshotQueue, Step};
use crate::store;

/// The most steps of one writer: `waitUntil` lasts 30 seconds.
const MAX_STEPS: usize = 24;

/// A response, and when its client sent the request.
type Response = (Rc<CachedResponse>, i64);

thread_local! {
    static QUEUE: RefCell<SnapshotQueue<Response>> = RefCell::default();
    static OBSERVED: Cell<Option<(ChangeSeqs, i64)>> = const { Cell::new(None) };
}

/// The newest change sequences that this isolate has observed, and when.
pub fn observed() -> Option<(ChangeSeqs, i64)> {
    OBSERVED.get()
}

/// Offers a response that is fresh now, to a request that started at a time.
pub fn offer(
    request: &Request,
    key: impl FnOnce() -> Option<String>,
    copy: &Rc<CachedResponse>,
    started: i64,
) {
    // The response was made or revalidated after `started`, perhaps by a replica that lags
    // behind what this isolate has observed.
    match OBSERVED.get() {
        Some((observed, _)) if is_behind(copy.change_seqs.to_array(), observed) => return,
        Some((_, at)) if at > started => {}
        _ => OBSERVED.set(Some((copy.change_seqs.to_array(), started))),
    }
    if copy.is_saved.get() || copy.bytes > SNAPSHOT_MAX_BYTES {
        return;
    }
    let Some(key) = key() else { return };
    let env = &request.env;
    let is_saved =
        QUEUE.with_borrow_mut(|queue| queue.has_saved(&key, copy.change_seqs.to_array()));
    copy.is_saved.set(is_saved);
    if is_saved || is_off(env) {
        return;
    }
    let queued = Queued {
        key,
        change_seqs: copy.change_seqs.to_array(),
        response: (Rc::clone(copy), started),
    };
    if QUEUE.with_borrow_mut(|queue| queue.push(queued, now())) {
        request.context.wait_until(run(env.clone()));
    }
}

/// Whether either change sequence is lower than the observed one.
fn is_behind(change_seqs: ChangeSeqs, observed: ChangeSeqs) -> bool {
    change_seqs
        .iter()
        .zip(observed)
        .any(|(seq, observed)| *seq < observed)
}

async fn run(env: Env) {
    for _ in 0..MAX_STEPS {
        match QUEUE.with_borrow_mut(|queue| queue.next(now())) {
            Step::Stop => return,
            Step::Wait(milliseconds) => pause(u32::try_from(milliseconds).unwrap_or(1)).await,
            Step::Write(Queued { key, response, .. }) => {
                let (copy, asked_at) = response;
                if let Err(error) = save(&env, &key, &copy, Some(asked_at)).await {
                    console_error!("a snapshot: {error}");
                    copy.is_saved.set(false);
                    QUEUE.with_borrow_mut(|queue| queue.write_failed(key));
                }
            }
        }
    }
    QUEUE.with_borrow_mut(SnapshotQueue::stop);
}

/// Writes a snapshot. `asked_at` is none if no client asked for it.
///
/// # Errors
/// D1 failed.
pub async fn save(
    env: &Env,
    key: &str,
    copy: &CachedResponse,
    asked_at: Option<i64>,
) -> Result<(), Error> {
    let snapshot = Snapshot {
        key: key.to_owned(),
        change_seqs: copy.change_seqs.to_array(),
        made_at: copy.requested_at,
        asked_at,
        headers: headers(copy),
        body: text(copy.body()).unwrap_or_default(),
    };
    let statements = store::snapshot::save(&snapshot);
    Database::new(env)?.batch(&statements).await.map(drop)
}
