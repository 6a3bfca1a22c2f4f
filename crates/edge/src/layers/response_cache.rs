//! A cache of responses in the memory of the isolate.
//!
//! By default, each response is *checked* before it is sent: it is current if the present change
//! sequences are those at which it was made. The gateway may also send a response without a check,
//! if its last check is not older than the client or the setting `FRESH_SECONDS` allows
//! ([`http_semantics::freshness`]), and not older than the client's bookmark.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use domain::Param;
use http_semantics::bookmark::Observed;
use http_semantics::lru_cache::LruCache;
use http_semantics::{Tag, freshness};

use crate::coalescer::{ReadChangeSeqs, current_change_seqs};
use crate::env::consistency::Consistency;
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

/// A response.
struct Entry {
    response: Rc<CachedResponse>,
    /// Whether it depends on `Accept`.
    is_negotiated: bool,
    /// The last time at which it was certainly current, in milliseconds since 1970.
    current_at: Cell<i64>,
    /// The bookmarks of that state.
    observed: RefCell<Observed>,
}

thread_local! {
    static CACHE: RefCell<LruCache<Rc<Entry>>> = RefCell::new(LruCache::new(MAX_BYTES));
    /// When this isolate last completed a write, in milliseconds since 1970. Responses from before
    /// are checked again, so that a client that writes and reads through one isolate sees its writes.
    static LAST_WRITE: Cell<i64> = const { Cell::new(0) };
}

/// The result of a lookup.
pub(crate) enum Lookup {
    /// The cached response may be sent.
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
    consistency: Rc<Consistency>,
    /// Whether the response is stored although it cannot be checked.
    is_reusable: bool,
}

/// Looks up the response to a request. `read` reads the present change sequences. Without it, a
/// response cannot be checked.
pub(crate) async fn find(request: &mut Request, read: Option<&ReadChangeSeqs>) -> Lookup {
    let requested_at = now();
    let max_age_ms = request.max_age_ms();
    if read.is_none() && max_age_ms == 0 {
        return Lookup::Bypass;
    }
    let Some(key) = key(request) else {
        return Lookup::Bypass;
    };
    let etag = request.if_none_match.clone();
    let cached = CACHE.with_borrow_mut(|cache| cache.get(&key));
    // If the client has a different response, only the handler can tell whether it is valid.
    let cached = cached.filter(|entry| etag.is_none() || etag == entry.response.etag());
    if let Some(entry) = cached {
        let age_ms = requested_at - entry.current_at.get();
        if age_ms <= max_age_ms && entry.may_be_sent_to(request) {
            let age = freshness::age_seconds(age_ms).to_string();
            let response = entry.response_to(request, etag.as_deref());
            return Lookup::Hit(
                response
                    .header("age", age)
                    .header("cache-status", "join; hit"),
            );
        }
        if let Some(read) = read {
            let current = current_change_seqs(request, Rc::clone(read)).await;
            if current.is_some() && current == entry.response.change_seqs {
                let span = [requested_at, now()];
                request.timings.borrow_mut().record("held", span, "proved");
                entry.current_at.set(requested_at);
                entry.observed.replace(request.env.consistency().observed());
                let response = entry.response_to(request, etag.as_deref());
                return Lookup::Hit(response.with_copy(&entry.response));
            }
            // The client's response is stale, or a service failed and its state is unknown. A
            // conditional request would make the handler ask that service again.
            request.if_none_match = None;
        } else if etag.is_some() {
            return Lookup::Bypass;
        }
    } else if etag.is_some() {
        return Lookup::Bypass;
    }
    Lookup::Miss(Miss {
        key,
        requested_at,
        consistency: Rc::clone(request.env.consistency()),
        is_reusable: read.is_none(),
    })
}

impl Entry {
    /// Whether the request may get this response without a check: it is not older than the last
    /// write of this isolate, nor than the client's bookmark.
    fn may_be_sent_to(&self, request: &Request) -> bool {
        let observed = self.observed.borrow();
        let consistency = request.env.consistency();
        let may_be_sent =
            self.current_at.get() > LAST_WRITE.get() && consistency.may_share(&observed);
        if may_be_sent {
            consistency.observe(&observed);
        }
        may_be_sent
    }

    /// The response to a request with this `If-None-Match`.
    fn response_to(&self, request: &Request, etag: Option<&str>) -> Response {
        request.is_negotiated.set(self.is_negotiated);
        match etag.and_then(Tag::parse) {
            Some(tag) => Response::not_modified(&tag),
            None => self.response.to_response(),
        }
    }
}

impl Miss {
    /// Stores a response as soon as its whole body is known.
    pub(crate) fn store(self, response: Response, is_negotiated: bool) -> Response {
        let Self {
            key,
            requested_at,
            consistency,
            is_reusable,
        } = self;
        let response = response.with_future_copy(requested_at, MAX_RESPONSE_BYTES, is_reusable);
        response.when_cached(move |copy| {
            let bytes = key.len() + copy.bytes + ENTRY_OVERHEAD_BYTES;
            let entry = Entry {
                response: Rc::clone(copy),
                is_negotiated,
                current_at: Cell::new(requested_at),
                observed: RefCell::new(consistency.observed()),
            };
            CACHE.with_borrow_mut(|cache| cache.put(key, Rc::new(entry), bytes));
        })
    }
}

/// Records that this isolate has completed a write.
pub(crate) fn record_write() {
    LAST_WRITE.set(now());
}

/// The cached response to a request, which may be stale. For HEAD it is the response to GET.
#[must_use]
pub fn cached_response(request: &Request) -> Option<Rc<CachedResponse>> {
    let cached = CACHE.with_borrow_mut(|cache| cache.get(&key_of_get(request)));
    cached.map(|entry| Rc::clone(&entry.response))
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
