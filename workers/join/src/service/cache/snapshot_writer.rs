//! Writes snapshots after the response has been sent (`wait_until`). The [`SnapshotQueue`] limits
//! how many are written per second.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use edge::{CachedResponse, Calls, Database, Env, Error, Request, now, pause};
use js_sys::Uint8Array;
use tables::ChangeSeqs;
use wasm_bindgen::{JsCast, JsValue};
use worker::console_error;

use super::is_disabled;
use crate::domain::snapshot::{Headers, SNAPSHOT_MAX_BYTES, Snapshot};
use crate::domain::snapshot_queue::{Queued, SnapshotQueue, Step};
use crate::store;

/// The maximum number of steps of one writer: the platform ends `wait_until` after 30 seconds.
const MAX_STEPS: usize = 24;

/// The calls that save a snapshot: its head, its old and new chunks, and the eviction.
pub const SAVE: Calls = Calls::round_trips(1, 8);

/// A response, and the time of its request.
type QueuedResponse = (Rc<CachedResponse>, i64);

thread_local! {
    static QUEUE: RefCell<SnapshotQueue<QueuedResponse>> = RefCell::default();
    static NEWEST: Cell<Option<(ChangeSeqs, i64)>> = const { Cell::new(None) };
}

/// The newest change sequences that this isolate has observed, and the time at which they were
/// current.
pub fn newest_change_seqs() -> Option<(ChangeSeqs, i64)> {
    NEWEST.get()
}

/// Whether this isolate has saved a response with this key at these change sequences.
pub fn is_saved(key: &str, change_seqs: ChangeSeqs) -> bool {
    QUEUE.with_borrow_mut(|queue| queue.has_saved(key, change_seqs))
}

/// Queues a response that was made or revalidated after `requested_at`, and starts a writer if
/// none runs.
pub fn enqueue(
    request: &Request,
    key: impl FnOnce() -> Option<String>,
    response: &Rc<CachedResponse>,
    requested_at: i64,
) {
    let Some(change_seqs) = response.change_seqs else {
        return;
    };
    match NEWEST.get() {
        // The response comes from a replica that lags.
        Some((newest, _)) if change_seqs.is_before(&newest) => return,
        Some((_, at)) if at > requested_at => {}
        _ => NEWEST.set(Some((change_seqs, requested_at))),
    }
    if response.is_saved.get() || response.bytes > SNAPSHOT_MAX_BYTES {
        return;
    }
    let Some(key) = key() else { return };
    let env = &request.env;
    let is_saved = QUEUE.with_borrow_mut(|queue| queue.has_saved(&key, change_seqs));
    response.is_saved.set(is_saved);
    if is_saved || is_disabled(env) {
        return;
    }
    let queued = Queued {
        key,
        change_seqs,
        response: (Rc::clone(response), requested_at),
    };
    if QUEUE.with_borrow_mut(|queue| queue.push(queued, now())) {
        request.context.wait_until(write_queued(env.clone()));
    }
}

/// The writer: saves queued responses until the queue is empty.
async fn write_queued(env: Env) {
    for _ in 0..MAX_STEPS {
        if !env.quota().has(SAVE) {
            break;
        }
        match QUEUE.with_borrow_mut(|queue| queue.next(now())) {
            Step::Stop => return,
            Step::Wait(milliseconds) => pause(u32::try_from(milliseconds).unwrap_or(1)).await,
            Step::Write(Queued { key, response, .. }) => {
                let (response, requested_at) = response;
                if let Err(error) = save(&env, &key, &response, Some(requested_at)).await {
                    console_error!("writing a snapshot: {error}");
                    response.is_saved.set(false);
                    QUEUE.with_borrow_mut(|queue| queue.write_failed(key));
                }
            }
        }
    }
    QUEUE.with_borrow_mut(SnapshotQueue::stop);
}

/// Writes a snapshot. `requested_at` is none in a scheduled refresh.
///
/// # Errors
/// A failure of D1.
pub async fn save(
    env: &Env,
    key: &str,
    response: &CachedResponse,
    requested_at: Option<i64>,
) -> Result<(), Error> {
    let Some(change_seqs) = response.change_seqs else {
        return Ok(());
    };
    let snapshot = Snapshot {
        key: key.to_owned(),
        change_seqs,
        made_at: response.requested_at,
        requested_at,
        headers: headers(response),
        body: text(response.body()).unwrap_or_default(),
    };
    let statements = store::snapshot::save(&snapshot);
    Database::new(env)?.batch(&statements).await.map(drop)
}

/// The headers of a response that a snapshot preserves.
pub fn headers(response: &CachedResponse) -> Headers {
    let header = |name| response.header(name).map(ToOwned::to_owned);
    Headers {
        content_type: header("content-type").unwrap_or_default(),
        etag: header("etag"),
        link: header("link"),
        total_count: header("x-total-count"),
        total_count_relation: header("x-total-count-relation"),
    }
}

/// The text of a body.
pub fn text(body: &JsValue) -> Option<String> {
    match body.dyn_ref::<Uint8Array>() {
        Some(bytes) => String::from_utf8(bytes.to_vec()).ok(),
        None => body.as_string(),
    }
}
