//! Coalesces concurrent reads of the change sequences into one query.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tables::ChangeSeqs;

use super::{Coalescer, Limits, Outcome, coalesce};
use crate::env::Env;
use crate::http::request::Request;

/// Reads the current change sequences. None if a database or a service fails.
pub type ReadChangeSeqs = Rc<dyn Fn(Env) -> LocalBoxFuture<'static, Option<ChangeSeqs>>>;

/// Boxes the future of a reader, so that the coalescer is compiled once for all readers.
pub fn change_seqs_reader<F>(read: impl Fn(Env) -> F + 'static) -> ReadChangeSeqs
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
/// be read. Concurrent requests share one `read`. A request runs its own `read` if the shared one
/// used a replica that is older than the client's bookmark.
pub async fn current_change_seqs(request: &Request, read: ReadChangeSeqs) -> Option<ChangeSeqs> {
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
            if !consistency.may_share(&observed) {
                return read(request.env.clone()).await;
            }
            consistency.observe(&observed);
            Some(seqs)
        }
        Outcome::NotRun => read(request.env.clone()).await,
        Outcome::LeaderLost => None,
    }
}
