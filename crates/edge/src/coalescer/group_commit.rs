//! Group commit: concurrent writes of one kind share one round trip to the database. Each write
//! gets its own result.
//!
//! Use it only for writes that cannot violate a constraint: one failure rolls back the whole batch.
//! If the leader of a batch is lost, its writes have an unknown outcome. They must not be repeated
//! here, because that could overwrite a later write of another client.

use std::cell::RefCell;
use std::thread::LocalKey;

use http_semantics::Problem;

use super::{Coalescer, Limits, Outcome, coalesce};
use crate::env::Env;
use crate::error::Error;
use crate::http::request::Request;

/// Coalesces writes of one kind: `T` is what is written, `R` the result. A result is none if the
/// batch left the write out.
pub type WriteCoalescer<T, R> = Coalescer<T, Result<Option<R>, Problem>>;

/// The maximum number of writes per batch, and the timeout of a batch.
const LIMITS: Limits = Limits {
    timeout_ms: 10_000,
    max_batch: 500,
};

/// A coalescer of writes.
#[must_use]
pub const fn coalescer<T, R>() -> RefCell<WriteCoalescer<T, R>> {
    RefCell::new(Coalescer::new(LIMITS))
}

/// Writes an item, alone or in a batch. `write` returns the results of a batch in order. None: the
/// item was not written, and the caller has to write it alone.
///
/// # Errors
/// The error of `write`, or an unknown outcome.
pub async fn group_commit<T, R, F>(
    coalescer: &'static LocalKey<RefCell<WriteCoalescer<T, R>>>,
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
    match coalesce(coalescer, request, item, run).await {
        Outcome::Alone(result) => Ok(result?),
        Outcome::Batched(result, observed) => {
            let result = result?;
            request.env.consistency().observe(&observed);
            Ok(result)
        }
        Outcome::NotRun => Ok(None),
        // The response says that the outcome is unknown, as for every internal error of a write.
        Outcome::LeaderLost => Err(Error::Platform {
            doing: "waiting for a batch of writes",
            reason: "the request that leads it is gone".to_owned(),
        }),
    }
}
