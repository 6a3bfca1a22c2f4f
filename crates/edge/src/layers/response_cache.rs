//! A cache of responses in the memory of the isolate. Each response is revalidated before it is
//! sent: it is valid if the current change sequences are those at which it was made.

use std::cell::RefCell;
use std::rc::Rc;

use domain::Param;
use http_semantics::Tag;
use http_semantics::lru_cache::LruCache;

use crate::coalescer::{ReadChangeSeqs, current_change_seqs};
use crate::http::request::{Method, Request};
use crate::http::response::{CachedResponse, Response};
use crate::time::now;

/// The maximum size of the cache, in bytes. An isolate has 128 MB.
const MAX_BYTES: usize = 40 * 1024 * 1024;

/// The maximum size of one response.
const MAX_RESPONSE_BYTES: usize = 9 * 1024 * 1024;

/// The approximate size of an entry without its body.
const ENTRY_OVERHEAD_BYTES: usize = 600;

/// The maximum length of `Accept`. It is part of the key, so requests with a longer one are not
/// cached.
const MAX_ACCEPT_BYTES: usize = 200;

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

/// The key of a response that is to be stored.
pub(crate) struct Miss {
    key: String,
    /// When the request arrived, in milliseconds since 1970.
    requested_at: i64,
}

/// Looks up the response to a request, and revalidates it.
pub(crate) async fn find(request: &mut Request, read: &ReadChangeSeqs) -> Lookup {
    let requested_at = now();
    let Some(key) = key(request) else {
        return Lookup::Bypass;
    };
    let etag = request.if_none_match.clone();
    let cached = CACHE.with_borrow_mut(|cache| cache.get(&key));
    // If the client has a different response, only the handler can tell whether it is valid.
    let cached = cached.filter(|(response, _)| etag.is_none() || etag == response.etag());
    if let Some((response, is_negotiated)) = cached {
        let current = current_change_seqs(request, Rc::clone(read)).await;
        if current == Some(response.change_seqs) {
            let span = [requested_at, now()];
            request.timings.borrow_mut().record("held", span, "proved");
            request.is_negotiated.set(is_negotiated);
            return Lookup::Hit(match etag.as_deref().and_then(Tag::parse) {
                Some(tag) => Response::not_modified(&tag).with_copy(&response),
                None => response.to_response().with_copy(&response),
            });
        }
        // The client's response is stale, or a service failed and its state is unknown. A
        // conditional request would make the handler ask that service again.
        request.if_none_match = None;
    } else if etag.is_some() {
        return Lookup::Bypass;
    }
    Lookup::Miss(Miss { key, requested_at })
}

impl Miss {
    /// Stores a response as soon as its whole body is known.
    pub(crate) fn store(self, response: Response, is_negotiated: bool) -> Response {
        let Self { key, requested_at } = self;
        let response = response.with_future_copy(requested_at, MAX_RESPONSE_BYTES);
        response.when_cached(move |copy| {
            let bytes = copy.bytes + ENTRY_OVERHEAD_BYTES;
            let entry = (Rc::clone(copy), is_negotiated);
            CACHE.with_borrow_mut(|cache| cache.put(key, entry, bytes));
        })
    }
}

/// The cached response to a request, which may be stale. For HEAD it is the response to GET.
#[must_use]
pub fn cached_response(request: &Request) -> Option<Rc<CachedResponse>> {
    let cached = CACHE.with_borrow_mut(|cache| cache.get(&key_of_get(request)));
    cached.map(|(response, _)| response)
}

/// The key of a request, or none if its response is not cached.
fn key(request: &Request) -> Option<String> {
    let accept = request.header("accept").map_or(0, |accept| accept.len());
    let is_plain = request.parts.method == Method::Get
        && request.header("if-match").is_none()
        && accept <= MAX_ACCEPT_BYTES;
    is_plain.then(|| key_of_get(request))
}

/// Removes all responses of this isolate, for example after an erasure: a stale response could
/// otherwise replace an error later.
pub fn clear_response_cache() {
    CACHE.with_borrow_mut(LruCache::clear);
}

fn key_of_get(request: &Request) -> String {
    let accept = request.header("accept").unwrap_or_default();
    format!("{}?{} {accept}", request.path, request.query)
}
