//! Answers that an isolate holds, each proved right before it goes out again.

use std::cell::RefCell;
use std::rc::Rc;

use domain::Param;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use http_semantics::Tag;
use http_semantics::lru_cache::Held;

use crate::coalescer::revalidation::{self, Marks};
use crate::http::response::Fixed;
use crate::{Answer, Call, Env, Error, Method, now};

/// The most bytes that an isolate holds: it has 128 MB in all.
const MOST: usize = 40 * 1024 * 1024;

/// The most bytes of one answer.
const MOST_OF_ONE: usize = 9 * 1024 * 1024;

/// What an entry has around its body, in bytes, about.
const AROUND: usize = 600;

/// The longest `Accept` of which an answer is held.
const MOST_ACCEPT: usize = 200;

/// An answer, and whether another `Accept` would have got another.
type Entry = (Rc<Fixed>, bool);

thread_local! {
    static HELD: RefCell<Held<Entry>> = RefCell::new(Held::new(MOST));
}

/// A handler of reads whose answers are held. `ask` gives the marks of the registers that they
/// are made from; an answer is held where it says which ones it is of
/// (`Answer::of_marks`).
pub fn held<H, A, P, F>(
    ask: P,
    handler: H,
) -> impl Fn(Call) -> LocalBoxFuture<'static, Result<Answer, Error>>
where
    H: Fn(Call) -> A + Clone + 'static,
    A: Future<Output = Result<Answer, Error>> + 'static,
    P: Fn(Env) -> F + Clone + 'static,
    F: Future<Output = Option<Marks>> + 'static,
{
    move |call| {
        let (ask, handler) = (ask.clone(), handler.clone());
        async move {
            let began = now();
            let Some(key) = key(&call) else {
                return handler(call).await;
            };
            let seen = call.header("if-none-match");
            let held = HELD.with_borrow_mut(|held| held.get(&key));
            // Of a reader who has another answer the handler knows more.
            let held = held.filter(|(fixed, _)| seen.is_none() || seen == fixed.etag());
            if let Some((fixed, is_negotiated)) = held {
                let marks = revalidation::marks(&call, ask).await;
                if marks == Some(fixed.marks) {
                    let span = [began, now()];
                    call.timings.borrow_mut().note("held", span, "proved");
                    call.is_negotiated.set(is_negotiated);
                    return Ok(match seen.as_deref().and_then(Tag::parse) {
                        Some(tag) => Answer::not_modified(&tag).with_copy(&fixed),
                        None => fixed.answer().with_copy(&fixed),
                    });
                }
            } else if seen.is_some() {
                return handler(call).await;
            }
            let is_negotiated = Rc::clone(&call.is_negotiated);
            // The client's response is stale, or its state is unknown because a service failed. A
            // conditional request would wait for that service again.
            let answer = handler(call.into_unconditional()).await?;
            let is_negotiated = is_negotiated.get();
            let answer = answer.with_future_copy(began, MOST_OF_ONE);
            Ok(answer.when_cached(move |copy| {
                let bytes = copy.bytes + AROUND;
                let entry = (Rc::clone(copy), is_negotiated);
                HELD.with_borrow_mut(|held| held.put(key, entry, bytes));
            }))
        }
        .boxed_local()
    }
}

/// The answer to a call, or to the GET that a HEAD is like, that was held last, whatever has
/// happened since.
#[must_use]
pub fn last(call: &Call) -> Option<Rc<Fixed>> {
    let held = HELD.with_borrow_mut(|held| held.get(&of_get(call)));
    held.map(|(fixed, _)| fixed)
}

/// What an answer depends on beside the registers: none where it is not held.
fn key(call: &Call) -> Option<String> {
    let accept = call.header("accept").map_or(0, |accept| accept.len());
    let is_plain = call.incoming.method == Method::Get
        && call.header("if-match").is_none()
        && accept <= MOST_ACCEPT;
    is_plain.then(|| of_get(call))
}

fn of_get(call: &Call) -> String {
    let accept = call.header("accept").unwrap_or_default();
    format!("{}?{} {accept}", call.path, call.query)
}
