//! Coalesces reads that arrive at the same time into one round trip to the database.
//!
//! # How
//! If no round trip is in flight, a request makes its own. A request that arrives during one
//! becomes the *leader* of the next batch. Requests that arrive until this batch starts become its
//! *waiters*. The leader runs batch after batch as long as requests wait, even if its own client
//! disconnects (`wait_until`). A batch contains only requests that arrived before it started. So
//! each request sees all writes that were acknowledged before it arrived.
//!
//! A leader uses at most half of the calls that its invocation may make, so that its own request
//! can finish. Then it hands over: the first waiter becomes the leader.
//!
//! # Danger
//! - **Only reads.** If a batch contained writes, one write that violates a constraint would roll
//!   back the writes of other clients. And if the leader disappeared, a waiter could not know
//!   whether its write was applied. Decision 0017 has the figures.
//! - **A leader can disappear.** The waiters then get [`Outcome::LeaderLost`], and the caller
//!   decides what to do.
//! - **A batch may read old data.** It requires no client's bookmark, because an invalid bookmark
//!   would fail the batch for all. So it may read a replica that is older than the bookmark of a
//!   waiter. If this matters, the caller compares the bookmark with what the batch has observed
//!   ([`Outcome::Batched`]). If a waiter requires the newest state, the batch reads the primary.
//!
//! # Rules of the platform
//! - A request must not await a promise of another request. So each waiter has its own promise,
//!   which the leader resolves. Each batch runs with the leader's bindings.
//! - The platform cancels a request that waits without any I/O of its own. So each waiter also runs
//!   a timer.

mod current_change_seqs;

use std::cell::{Cell, RefCell};
use std::mem;
use std::rc::Rc;
use std::thread::LocalKey;

use js_sys::{Array, Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::env::Env;
use crate::env::consistency::Consistency;
use crate::http::request::Request;
use crate::time::{now, pause, timer};

pub use current_change_seqs::{
    Check, PageCheck, ReadChangeSeqs, change_seqs_reader, check, current_change_seqs,
};

/// The maximum number of batches per leader.
const MAX_BATCHES: usize = 100;

/// The time after which a leader hands over, in milliseconds. The platform ends `wait_until` 30
/// seconds after the response, and a batch must not be cut off.
const MAX_LEAD_MS: i64 = 10_000;

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
    /// The request was part of a batch, which had this consistency.
    Batched(R, Rc<Consistency>),
    /// The request was not run: no batch has taken it.
    NotRun,
    /// The leader sent no result in time. Its batch may or may not have run.
    LeaderLost,
}

/// A message from the leader to a waiter.
enum Message<T, R> {
    /// The result of its request.
    Result(Outcome<R>),
    /// The leadership. The waiter gets its place in the queue back.
    Lead(Waiter<T, R>),
}

/// The slot in which a waiter finds its message.
type Slot<T, R> = Rc<Cell<Option<Message<T, R>>>>;

/// A request that waits for its batch.
struct Waiter<T, R> {
    item: T,
    requires_newest: bool,
    slot: Slot<T, R>,
    resolve: Option<Function>,
}

impl<T, R> Waiter<T, R> {
    /// A promise that resolves when the waiter gets a message or its time is over.
    fn wait(&mut self, timeout_ms: u32) -> Promise {
        let message = Promise::new(&mut |resolve, _| self.resolve = Some(resolve));
        Promise::race(&Array::of2(&message, &timer(timeout_ms)))
    }
}

/// Hands a message to a waiter, and wakes it.
fn send<T, R>(slot: &Slot<T, R>, resolve: Option<&Function>, message: Message<T, R>) {
    slot.set(Some(message));
    if let Some(resolve) = resolve {
        let _ = resolve.call0(&JsValue::UNDEFINED);
    }
}

/// The requests of one kind in this isolate: `T` is the item of a request, `R` its result.
pub struct Coalescer<T, R> {
    /// The time after which a round trip counts as lost, in milliseconds.
    timeout_ms: u32,
    waiters: Vec<Waiter<T, R>>,
    /// When a request that runs alone started, in milliseconds since 1970.
    alone_since: Option<i64>,
    /// When the leader started its current batch, in milliseconds since 1970.
    leader_since: Option<i64>,
}

impl<T, R> Coalescer<T, R> {
    /// A coalescer without requests.
    #[must_use]
    pub const fn new(timeout_ms: u32) -> Self {
        Self {
            timeout_ms,
            waiters: Vec::new(),
            alone_since: None,
            leader_since: None,
        }
    }

    fn in_flight(&self, since: Option<i64>, now: i64) -> bool {
        since.is_some_and(|since| now - since < i64::from(self.timeout_ms))
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

    /// Makes a waiter the leader, with the first place in the queue.
    fn lead(&mut self, waiter: Waiter<T, R>, now: i64) {
        self.waiters.insert(0, waiter);
        self.leader_since = Some(now);
    }

    /// The next batch. It is empty if no request waits, and the leader then stops.
    fn next_batch(&mut self, now: i64) -> Vec<Waiter<T, R>> {
        self.leader_since = (!self.waiters.is_empty()).then_some(now);
        mem::take(&mut self.waiters)
    }

    /// The waiter that leads next, or none if no request waits.
    fn next_leader(&mut self, now: i64) -> Option<Waiter<T, R>> {
        self.leader_since = (!self.waiters.is_empty()).then_some(now);
        (!self.waiters.is_empty()).then(|| self.waiters.remove(0))
    }

    /// Removes a waiter that no batch has taken. Returns whether there was one.
    fn withdraw(&mut self, slot: &Slot<T, R>) -> bool {
        let count = self.waiters.len();
        self.waiters
            .retain(|waiter| !Rc::ptr_eq(&waiter.slot, slot));
        self.waiters.len() < count
    }
}

type Shared<T, R> = &'static LocalKey<RefCell<Coalescer<T, R>>>;

/// The request that runs alone. When it is dropped, another one may run alone.
pub struct Alone<T: 'static, R: 'static>(Shared<T, R>);

impl<T, R> Alone<T, R> {
    /// Lets a request run alone, if no round trip is in flight.
    fn start(coalescer: Shared<T, R>) -> Option<Self> {
        let is_idle = coalescer.with_borrow_mut(|coalescer| coalescer.start_alone(now()));
        is_idle.then_some(Self(coalescer))
    }
}

impl<T, R> Drop for Alone<T, R> {
    fn drop(&mut self) {
        let Self(coalescer) = self;
        coalescer.with_borrow_mut(|coalescer| coalescer.alone_since = None);
    }
}

/// The place of a request in the queue. It is given up when the request ends.
struct Place<T: 'static, R: 'static> {
    coalescer: Shared<T, R>,
    slot: Slot<T, R>,
}

impl<T, R> Place<T, R> {
    /// Leaves the queue. Returns whether no batch has taken the request.
    fn withdraw(&self) -> bool {
        let Self { coalescer, slot } = self;
        coalescer.with_borrow_mut(|coalescer| coalescer.withdraw(slot))
    }
}

impl<T, R> Drop for Place<T, R> {
    fn drop(&mut self) {
        self.withdraw();
    }
}

/// Runs a request alone or as part of a batch. `run` gets the items of a batch and returns their
/// results in the same order.
pub async fn coalesce<T, R, F>(
    coalescer: Shared<T, R>,
    request: &Request,
    item: T,
    run: impl Fn(Env, Vec<T>) -> F + 'static,
) -> Outcome<R>
where
    T: 'static,
    R: 'static,
    F: Future<Output = Vec<R>> + 'static,
{
    if let Some(_alone) = Alone::start(coalescer) {
        let result = run(request.env.clone(), vec![item]).await.pop();
        return result.map_or(Outcome::NotRun, Outcome::Alone);
    }
    join_batch(coalescer, request, item, run).await
}

/// Runs a request as part of the next batch, while another one is in flight.
async fn join_batch<T, R, F>(
    coalescer: Shared<T, R>,
    request: &Request,
    item: T,
    run: impl Fn(Env, Vec<T>) -> F + 'static,
) -> Outcome<R>
where
    T: 'static,
    R: 'static,
    F: Future<Output = Vec<R>> + 'static,
{
    let run = Rc::new(run);
    let timeout_ms = coalescer.with_borrow(|coalescer| coalescer.timeout_ms);
    let place = Place {
        coalescer,
        slot: Slot::default(),
    };
    let mut waiter = Waiter {
        item,
        requires_newest: request.env.consistency().requires_newest(),
        slot: Rc::clone(&place.slot),
        resolve: None,
    };
    let mut message = waiter.wait(timeout_ms);
    let mut is_leader = coalescer.with_borrow_mut(|coalescer| coalescer.join(waiter, now()));
    loop {
        if is_leader {
            let leader = lead(coalescer, request.env.clone(), Rc::clone(&run));
            request.context.wait_until(leader);
        }
        let _ = JsFuture::from(message).await;
        match place.slot.take() {
            Some(Message::Result(outcome)) => return outcome,
            Some(Message::Lead(mut waiter)) => {
                message = waiter.wait(timeout_ms);
                coalescer.with_borrow_mut(|coalescer| coalescer.lead(waiter, now()));
                is_leader = true;
            }
            None if place.withdraw() => return Outcome::NotRun,
            None => return Outcome::LeaderLost,
        }
    }
}

/// Runs batches as long as requests wait, or hands over.
async fn lead<T, R, F>(coalescer: Shared<T, R>, env: Env, run: Rc<impl Fn(Env, Vec<T>) -> F>)
where
    T: 'static,
    R: 'static,
    F: Future<Output = Vec<R>>,
{
    let since = now();
    // The other calls for the same page arrive in this turn of the event loop, and join the batch.
    pause(0).await;
    // The first batch contains the request of this leader, so it is never the next leader.
    for number in 0..MAX_BATCHES {
        if number > 0 && (env.quota().is_half_used() || now() - since > MAX_LEAD_MS) {
            break;
        }
        let batch = coalescer.with_borrow_mut(|coalescer| coalescer.next_batch(now()));
        if batch.is_empty() {
            return;
        }
        let size = batch.len();
        let env = env.for_shared_run(batch.iter().any(|waiter| waiter.requires_newest));
        let (items, waiting): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|waiter| (waiter.item, (waiter.slot, waiter.resolve)))
            .unzip();
        let mut results = run(env.clone(), items).await.into_iter();
        for (slot, resolve) in waiting {
            let outcome = match results.next() {
                Some(result) => Outcome::Batched(result, Rc::clone(env.consistency())),
                None => Outcome::NotRun,
            };
            send(&slot, resolve.as_ref(), Message::Result(outcome));
        }
        if size >= LARGE_BATCH {
            pause(LINGER_MS).await;
        }
    }
    if let Some(mut next) = coalescer.with_borrow_mut(|coalescer| coalescer.next_leader(now())) {
        let (slot, resolve) = (Rc::clone(&next.slot), next.resolve.take());
        send(&slot, resolve.as_ref(), Message::Lead(next));
    }
}

#[cfg(test)]
mod tests;
