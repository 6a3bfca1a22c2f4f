//! Group commit: concurrent writes of one kind share one round trip to the database
//! ([`crate::coalescer`]). Each write is applied after it arrived, and gets its own result.
//!
//! Only for writes that cannot violate a constraint: one failure rolls back the whole batch. If the
//! leader of a batch is lost, its writes have an unknown outcome, and the clients must look before
//! they try again: a write that is repeated here could overwrite a later one of another client.

use std::cell::RefCell;
use std::thread::LocalKey;

use http_semantics::Problem;

use crate::coalescer::{Coalescer, Limits, Outcome, coalesce};
use crate::env::Env;
use crate::error::Error;
use crate::http::request::Request;

/// The writes of one kind: `T` is what is written, `R` the result, which is none for a write that
/// the batch left out.
pub type WriteCoalescer<T, R> = Coalescer<T, Result<Option<R>, Problem>>;

/// The maximum number of writes per batch, and how long a batch may take.
const LIMITS: Limits = Limits {
    timeout_ms: 10_000,
    max_batch: 500,
};

/// No writes.
#[must_use]
pub const fn coalescer<T, R>() -> RefCell<WriteCoalescer<T, R>> {
    RefCell::new(Coalescer::new(LIMITS))
}

/// Writes an item, alone or in a batch. `write` returns the results of a batch in order. None: the
/// item was not written, and has to be written by itself.
///
/// # Errors
/// The error of `write`, or an unknown outcome.
pub async fn group_commit<T, R, F>(
    writes: &'static LocalKey<RefCell<WriteCoalescer<T, R>>>,
    request: &Request,
    item: T,
    write: impl Fn(Env, Vec<T>) -> F + 'static,
) -> Result<Option<R>, Error>
where
    T: 'static,
    R: 'static,
    F: Future<Output = Result<Vec<Option<R>>, Error>> + 'static,
{
    let run = move |env, items: Vec<T>| {
        let size = items.len();
        let written = write(env, items);
        async move {
            match written.await {
                Ok(results) => results.into_iter().map(Ok).collect(),
                Err(error) => {
                    let problem = error.into_problem().for_method(true);
                    vec![problem; size].into_iter().map(Err).collect()
                }
            }
        }
    };
    match coalesce(writes, request, item, run).await {
        Outcome::Alone(result) => Ok(result?),
        Outcome::Batched(result, observed) => {
            let result = result?;
            request.env.consistency().observe(&observed);
            Ok(result)
        }
        Outcome::NotRun => Ok(None),
        Outcome::LeaderLost => Err(Problem::being_written().with_unknown_outcome().into()),
    }
}
