//! The change sequences of both tables, which tell whether a cached response is still valid.
//!
//! Each write increases the change sequence of its table. A response that was made at the current
//! sequences is valid, and reading them is one row per table. Concurrent reads share one query
//! ([`crate::coalescer`]).

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::coalescer::{Coalescer, Limits, Outcome, coalesce};
use crate::env::Env;
use crate::http::request::Request;

/// The change sequences that a response was made at. A backend has one table, and sets both to
/// its sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeSeqs {
    /// The change sequence of places.
    pub places: i64,
    /// The change sequence of people.
    pub people: i64,
}

impl ChangeSeqs {
    /// The sequence of a backend's table.
    #[must_use]
    pub fn from_table(seq: i64) -> Self {
        Self {
            places: seq,
            people: seq,
        }
    }

    /// Places first.
    #[must_use]
    pub fn to_array(self) -> [i64; 2] {
        [self.places, self.people]
    }
}

impl From<[i64; 2]> for ChangeSeqs {
    fn from([places, people]: [i64; 2]) -> Self {
        Self { places, people }
    }
}

/// The header in which a backend sends the change sequence of its table to the gateway.
pub const CHANGE_SEQ_HEADER: &str = "x-change-counter";

/// Reads the current change sequences. None if a database or a service fails.
pub type ReadSeqs = Rc<dyn Fn(Env) -> LocalBoxFuture<'static, Option<ChangeSeqs>>>;

/// The function as a property of a route.
pub fn reader<F>(read: impl Fn(Env) -> F + 'static) -> ReadSeqs
where
    F: Future<Output = Option<ChangeSeqs>> + 'static,
{
    Rc::new(move |env| read(env).boxed_local())
}

thread_local! {
    static READS: RefCell<Coalescer<(), Option<ChangeSeqs>>> =
        const { RefCell::new(Coalescer::new(Limits {
            timeout_ms: 1_500,
            max_batch: usize::MAX,
        })) };
}

/// The change sequences as of a moment after the call of this function, or none if they could not
/// be read. Concurrent requests share one `read`. If it used a replica that is behind what this
/// request's client has seen, the request reads for itself.
pub async fn current<F>(request: &Request, read: impl Fn(Env) -> F + 'static) -> Option<ChangeSeqs>
where
    F: Future<Output = Option<ChangeSeqs>> + 'static,
{
    let read = Rc::new(read);
    let batch_read = Rc::clone(&read);
    let run = move |env, waiters: Vec<()>| {
        let seqs = batch_read(env);
        async move { vec![seqs.await; waiters.len()] }
    };
    match coalesce(&READS, request, (), run).await {
        Outcome::Alone(seqs) => seqs,
        Outcome::Batched(seqs, observed) => {
            let seqs = seqs?;
            let consistency = request.env.consistency();
            if !observed.dominates(&consistency.observed()) {
                return read(request.env.clone()).await;
            }
            consistency.observe(&observed);
            Some(seqs)
        }
        Outcome::NotRun => read(request.env.clone()).await,
        Outcome::LeaderLost => None,
    }
}
