//! Coalesces requests that arrive at the same time into one round trip to the database.
//!
//! # How
//! If no round trip is in flight, a request makes its own. A request that arrives during one
//! becomes the *leader* of the next batch. Requests that arrive until that batch starts become its
//! *waiters*. The leader runs batch after batch as long as requests wait, even if its own client
//! disconnects (`wait_until`). A batch contains only requests that arrived before it started, so
//! each request sees all writes that were acknowledged before it arrived.
//!
//! # Danger
//! - **One request must not make its batch fail.** Batch only reads, and writes that cannot violate
//!   a constraint: one failure rolls back the whole batch.
//! - **A leader can disappear.** Its batch may have been applied or not, so a waiter must not repeat
//!   a write: it could overwrite a later one. [`Outcome::LeaderLost`] leaves the decision to the
//!   caller. A read runs its own query, and a write reports an unknown outcome.
//! - A batch requires no client's bookmark, not even that of its leader: it could be invalid, and the
//!   batch would fail for all. So it may read a replica that is older than the bookmark of a waiter.
//!   The caller compares what the batch has observed ([`Outcome::Batched`]) if that matters.
//!
//! # Rules of the platform
//! - A request must not await a promise of another request. So each waiter has its own promise,
//!   which the leader resolves. Each batch runs with the leader's bindings.
//! - The platform cancels a request that waits without any I/O of its own. So a timer runs beside
//!   each promise.

mod current_change_seqs;
pub mod group_commit;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::thread::LocalKey;

use http_semantics::bookmark::Observed;
use js_sys::{Array, Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::env::Env;
use crate::http::request::Request;
use crate::time::{now, pause, timer};

pub use current_change_seqs::{ReadChangeSeqs, change_seqs_reader, current_change_seqs};

/// The maximum number of batches per leader. The platform limits the queries of one invocation.
const MAX_BATCHES: usize = 100;

/// The time that a leader waits after a large batch, in milliseconds. Clients that send their next
/// request at once then join the next batch. Without the pause, two halves of them alternate, each
/// in its own batches.
const LINGER_MS: u32 = 1;

/// The smallest batch after which a leader waits. For smaller ones the pause costs more time than
/// it saves.
const LARGE_BATCH: usize = 3;

/// The result of one request.
pub enum Outcome<R> {
    /// The request ran alone.
    Alone(R),
    /// The request was part of a batch. The bookmarks are those that the batch has observed.
    Batched(R, Observed),
    /// The request was not run, because its leader had reached its maximum number of batches.
    NotRun,
    /// The leader sent no result in time. Its batch may or may not have run.
    LeaderLost,
}

/// The result that a leader hands to a waiter.
type Slot<R> = Rc<Cell<Option<Outcome<R>>>>;

/// A request that waits for its batch.
struct Waiter<T, R> {
    item: T,
    slot: Slot<R>,
    resolve: Option<Function>,
}

/// Hands a result to a waiter, and wakes it.
fn finish<R>(slot: &Slot<R>, resolve: Option<&Function>, outcome: Outcome<R>) {
    slot.set(Some(outcome));
    if let Some(resolve) = resolve {
        let _ = resolve.call0(&JsValue::UNDEFINED);
    }
}

/// The limits of one kind of request.
pub struct Limits {
    /// The time after which a round trip counts as lost, in milliseconds.
    pub timeout_ms: u32,
    /// The maximum number of requests per batch.
    pub max_batch: usize,
}

/// The requests of one kind in this isolate: `T` is the item of a request, `R` its result.
pub struct Coalescer<T, R> {
    limits: Limits,
    waiters: Vec<Waiter<T, R>>,
    /// When a request that runs alone started, in milliseconds since 1970.
    alone_since: Option<i64>,
    /// When the leader started its current batch, in milliseconds since 1970.
    leader_since: Option<i64>,
}

impl<T, R> Coalescer<T, R> {
    /// A coalescer without requests.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            waiters: Vec::new(),
            alone_since: None,
            leader_since: None,
        }
    }

    fn in_flight(&self, since: Option<i64>, now: i64) -> bool {
        since.is_some_and(|since| now - since < i64::from(self.limits.timeout_ms))
    }

    /// Whether a request may run alone, because no round trip is in flight.
    fn start_alone(&mut self, now: i64) -> bool {
        let is_idle =
            !self.in_flight(self.alone_since, now) && !self.in_flight(self.leader_since, now);
        if is_idle {
            self.alone_since = Some(now);
        }
        is_idle
    }

    /// Adds a waiter, and returns whether it has to become the leader.
    fn join(&mut self, waiter: Waiter<T, R>, now: i64) -> bool {
        self.waiters.push(waiter);
        let is_leader = !self.in_flight(self.leader_since, now);
        if is_leader {
            self.leader_since = Some(now);
        }
        is_leader
    }

    /// The next batch. It is empty if no request waits, and the leader then stops. After its last
    /// batch the leader stops in any case.
    fn next_batch(&mut self, is_last: bool, now: i64) -> Vec<Waiter<T, R>> {
        let continues = !self.waiters.is_empty() && !is_last;
        self.leader_since = continues.then_some(now);
        let size = self.waiters.len().min(self.limits.max_batch);
        self.waiters.drain(..size).collect()
    }
}

/// Runs a request alone or as part of a batch. `run` gets the items of a batch and returns their
/// results in the same order.
pub async fn coalesce<T, R, F>(
    coalescer: &'static LocalKey<RefCell<Coalescer<T, R>>>,
    request: &Request,
    item: T,
    run: impl Fn(Env, Vec<T>) -> F + 'static,
) -> Outcome<R>
where
    T: 'static,
    R: 'static,
    F: Future<Output = Vec<R>> + 'static,
{
    if coalescer.with_borrow_mut(|coalescer| coalescer.start_alone(now())) {
        let result = run(request.env.clone(), vec![item]).await.pop();
        coalescer.with_borrow_mut(|coalescer| coalescer.alone_since = None);
        return result.map_or(Outcome::NotRun, Outcome::Alone);
    }
    let slot = Slot::default();
    let mut waiter = Waiter {
        item,
        slot: Rc::clone(&slot),
        resolve: None,
    };
    let finished = Promise::new(&mut |resolve, _| waiter.resolve = Some(resolve));
    let timeout_ms = coalescer.with_borrow(|coalescer| coalescer.limits.timeout_ms);
    let first = Promise::race(&Array::of2(&finished, &timer(timeout_ms)));
    if coalescer.with_borrow_mut(|coalescer| coalescer.join(waiter, now())) {
        request
            .context
            .wait_until(lead(coalescer, request.env.clone(), run));
    }
    let _ = JsFuture::from(first).await;
    slot.take().unwrap_or(Outcome::LeaderLost)
}

/// Runs batches as long as requests wait.
async fn lead<T, R, F>(
    coalescer: &'static LocalKey<RefCell<Coalescer<T, R>>>,
    env: Env,
    run: impl Fn(Env, Vec<T>) -> F,
) where
    T: 'static,
    R: 'static,
    F: Future<Output = Vec<R>>,
{
    for number in 0..=MAX_BATCHES {
        let is_last = number == MAX_BATCHES;
        let batch = coalescer.with_borrow_mut(|coalescer| coalescer.next_batch(is_last, now()));
        if batch.is_empty() {
            return;
        }
        let size = batch.len();
        let (items, waiting): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|waiter| (waiter.item, (waiter.slot, waiter.resolve)))
            .unzip();
        let env = env.for_shared_run();
        let mut results = run(env.clone(), items).await.into_iter();
        let observed = env.consistency().observed();
        for (slot, resolve) in waiting {
            let outcome = match results.next() {
                Some(result) => Outcome::Batched(result, observed.clone()),
                None => Outcome::NotRun,
            };
            finish(&slot, resolve.as_ref(), outcome);
        }
        if size >= LARGE_BATCH {
            pause(LINGER_MS).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        timeout_ms: 100,
        max_batch: 2,
    };

    fn waiter(item: u32) -> Waiter<u32, u32> {
        Waiter {
            item,
            slot: Slot::default(),
            resolve: None,
        }
    }

    fn items(batch: Vec<Waiter<u32, u32>>) -> Vec<u32> {
        batch.into_iter().map(|waiter| waiter.item).collect()
    }

    #[test]
    fn the_first_request_runs_alone_and_the_next_one_leads() {
        let mut coalescer = Coalescer::new(LIMITS);
        assert!(coalescer.start_alone(1000));
        assert!(!coalescer.start_alone(1001));
        assert!(coalescer.join(waiter(1), 1001));
        assert!(!coalescer.join(waiter(2), 1002));
        assert_eq!(items(coalescer.next_batch(false, 1003)), [1, 2]);
        assert!(!coalescer.join(waiter(3), 1004), "the leader is busy");
        assert_eq!(items(coalescer.next_batch(false, 1005)), [3]);
        assert!(coalescer.next_batch(false, 1006).is_empty());
        assert!(coalescer.join(waiter(4), 1007), "the leader has stopped");
    }

    #[test]
    fn batches_keep_the_order_of_arrival_and_the_maximum_size() {
        let mut coalescer = Coalescer::new(LIMITS);
        for item in 1..=5 {
            coalescer.join(waiter(item), 0);
        }
        assert_eq!(items(coalescer.next_batch(false, 0)), [1, 2]);
        assert_eq!(items(coalescer.next_batch(false, 0)), [3, 4]);
        assert_eq!(items(coalescer.next_batch(false, 0)), [5]);
    }

    #[test]
    fn a_lost_request_is_replaced_after_its_timeout() {
        let mut coalescer = Coalescer::<u32, u32>::new(LIMITS);
        assert!(coalescer.start_alone(1000));
        assert!(!coalescer.start_alone(1099));
        assert!(coalescer.start_alone(1100));
        let mut coalescer = Coalescer::new(LIMITS);
        assert!(coalescer.join(waiter(1), 1000));
        assert!(!coalescer.join(waiter(2), 1099));
        assert!(coalescer.join(waiter(3), 1100), "the leader is lost");
    }

    #[test]
    fn a_leader_is_replaced_after_its_last_batch() {
        let mut coalescer = Coalescer::new(LIMITS);
        coalescer.join(waiter(1), 0);
        assert_eq!(items(coalescer.next_batch(true, 1)), [1]);
        assert!(coalescer.start_alone(2));
        assert!(coalescer.join(waiter(2), 3));
    }
}
