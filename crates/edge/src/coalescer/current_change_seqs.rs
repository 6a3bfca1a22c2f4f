//! Coalesces concurrent checks of cached responses.
//!
//! A cached response is current if the change sequences are still the same as when it was made. If
//! no other check is in flight, a request runs its own handler. The handler's statement reads the
//! change sequences, and also the page if they have advanced. This is one round trip.
//!
//! The requests that arrive during this round trip are the next batch. If all of them want the same
//! page, the batch runs its handler once. Otherwise the batch reads only the change sequences,
//! which are the same for all pages.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tables::ChangeSeqs;

use super::{Alone, Coalescer, Outcome, coalesce, join_batch};
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

/// The check of one page.
#[derive(Clone)]
pub struct PageCheck {
    /// The key of the page.
    pub key: String,
    /// Reads the change sequences, and stores the page in the cache if they have advanced.
    pub read: ReadChangeSeqs,
}

/// A request without a page only needs the change sequences.
type Item = Option<PageCheck>;

/// The time after which a check counts as lost, in milliseconds.
const TIMEOUT_MS: u32 = 1_500;

thread_local! {
    static READS: RefCell<Coalescer<Item, Option<ChangeSeqs>>> =
        const { RefCell::new(Coalescer::new(TIMEOUT_MS)) };
}

/// How a request learns whether its response is current.
pub enum Check {
    /// No check is in flight: the request makes its own. Later requests wait for the next batch
    /// as long as this value lives.
    Own(Alone<Item, Option<ChangeSeqs>>),
    /// The change sequences as of a moment after the request arrived. None if they could not be
    /// read.
    Read(Option<ChangeSeqs>),
}

/// Begins the check of a response. `page` is its page, if the cache has one. `read` reads only the
/// change sequences.
pub async fn check(request: &Request, page: Option<PageCheck>, read: &ReadChangeSeqs) -> Check {
    if let Some(alone) = Alone::start(&READS) {
        return Check::Own(alone);
    }
    let outcome = join_batch(&READS, request, page, batch(read)).await;
    Check::Read(shared(outcome, request, read).await)
}

/// The change sequences as of a moment after the call of this function, or none if they could not
/// be read. Concurrent requests share one `read`.
pub async fn current_change_seqs(request: &Request, read: ReadChangeSeqs) -> Option<ChangeSeqs> {
    let outcome = coalesce(&READS, request, None, batch(&read)).await;
    shared(outcome, request, &read).await
}

/// Runs a batch.
fn batch(
    read: &ReadChangeSeqs,
) -> impl Fn(Env, Vec<Item>) -> LocalBoxFuture<'static, Vec<Option<ChangeSeqs>>> + 'static {
    let read = Rc::clone(read);
    move |env, items| {
        let key = |item: &Item| item.as_ref().map(|page| page.key.clone());
        let first = items.first().and_then(key);
        let page = items.iter().all(|item| key(item) == first);
        let page = items.first().filter(|_| page).and_then(Option::as_ref);
        let seqs = page.map_or(&read, |page| &page.read)(env);
        let size = items.len();
        async move { vec![seqs.await; size] }.boxed_local()
    }
}

/// The change sequences that a request may use. It runs its own `read` if the shared one used a
/// replica that is older than the client's bookmark.
async fn shared(
    outcome: Outcome<Option<ChangeSeqs>>,
    request: &Request,
    read: &ReadChangeSeqs,
) -> Option<ChangeSeqs> {
    match outcome {
        Outcome::Alone(seqs) => seqs,
        Outcome::Batched(seqs, run) => {
            let seqs = seqs?;
            let consistency = request.env.consistency();
            let observed = run.observed();
            if !run.requires_newest() && !consistency.may_share(&observed) {
                return read(request.env.clone()).await;
            }
            consistency.observe(&observed);
            Some(seqs)
        }
        Outcome::NotRun => read(request.env.clone()).await,
        Outcome::LeaderLost => None,
    }
}
