//! A cache of responses in the memory of the isolate. Each is revalidated before it is sent: it is
//! valid if the change sequences are still those at which it was made.

use std::cell::RefCell;
use std::rc::Rc;

use domain::Param;
use http_semantics::Tag;
use http_semantics::lru_cache::LruCache;

use crate::change_seqs::{self, ReadSeqs};
use crate::http::request::Request;
use crate::http::request_parts::Method;
use crate::http::response::{CachedResponse, Response};
use crate::timeout::now;

/// The maximum size of the cache, in bytes. An isolate has 128 MB.
const MAX_BYTES: usize = 40 * 1024 * 1024;

/// The maximum size of one response.
const MAX_RESPONSE_BYTES: usize = 9 * 1024 * 1024;

/// The approximate size of an entry without its body.
const ENTRY_OVERHEAD: usize = 600;

/// The maximum length of `Accept`: responses to longer ones are not cached.
const MAX_ACCEPT: usize = 200;

/// A response, and whether it depends on `Accept`.
type Entry = (Rc<CachedResponse>, bool);

thread_local! {
    static CACHE: RefCell<LruCache<Entry>> = RefCell::new(LruCache::new(MAX_BYTES));
}

/// The result of a lookup.
pub(crate) enum Lookup {
    /// The cached response is valid.
    Hit(Response),
    /// The handler runs, and its response is to be stored.
    Miss(Miss),
    /// The handler runs, and nothing is stored.
    Bypass,
}

/// A response that is to be stored.
pub(crate) struct Miss {
    key: String,
    /// When the request arrived, in milliseconds since 1970.
    began: i64,
}

/// Looks a response up, and revalidates it.
pub(crate) async fn find(request: &mut Request, read: &ReadSeqs) -> Lookup {
    let began = now();
    let Some(key) = key(request) else {
        return Lookup::Bypass;
    };
    let etag = request.header("if-none-match");
    let cached = CACHE.with_borrow_mut(|cache| cache.get(&key));
    // If the client has another response, the handler knows better what to compare it with.
    let cached = cached.filter(|(response, _)| etag.is_none() || etag == response.etag());
    if let Some((response, is_negotiated)) = cached {
        let read = Rc::clone(read);
        let seqs = change_seqs::current(request, move |env| read(env)).await;
        if seqs == Some(response.change_seqs) {
            let span = [began, now()];
            request.timings.borrow_mut().record("held", span, "proved");
            request.is_negotiated.set(is_negotiated);
            return Lookup::Hit(match etag.as_deref().and_then(Tag::parse) {
                Some(tag) => Response::not_modified(&tag).with_copy(&response),
                None => response.to_response().with_copy(&response),
            });
        }
        // The client's response is stale, or its state is unknown because a service failed. A
        // conditional request would wait for that service again.
        request.is_unconditional = true;
    } else if etag.is_some() {
        return Lookup::Bypass;
    }
    Lookup::Miss(Miss { key, began })
}

impl Miss {
    /// Stores a response once its whole body is known.
    pub(crate) fn store(self, answer: Response, is_negotiated: bool) -> Response {
        let Self { key, began } = self;
        let answer = answer.with_future_copy(began, MAX_RESPONSE_BYTES);
        answer.when_cached(move |copy| {
            let bytes = copy.bytes + ENTRY_OVERHEAD;
            let entry = (Rc::clone(copy), is_negotiated);
            CACHE.with_borrow_mut(|cache| cache.put(key, entry, bytes));
        })
    }
}

/// The cached response to a request, or to the GET of a HEAD, valid or not.
#[must_use]
pub fn cached_response(request: &Request) -> Option<Rc<CachedResponse>> {
    let cached = CACHE.with_borrow_mut(|cache| cache.get(&key_of_get(request)));
    cached.map(|(response, _)| response)
}

/// The key of a response, or none if it is not cached.
fn key(request: &Request) -> Option<String> {
    let accept = request.header("accept").map_or(0, |accept| accept.len());
    let is_plain = request.parts.method == Method::Get
        && request.header("if-match").is_none()
        && accept <= MAX_ACCEPT;
    is_plain.then(|| key_of_get(request))
}

fn key_of_get(request: &Request) -> String {
    let accept = request.header("accept").unwrap_or_default();
    format!("{}?{} {accept}", request.path, request.query)
}
