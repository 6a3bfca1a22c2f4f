//! A cache of responses in the memory of the isolate.
//!
//! By default, the cache *checks* each response before it sends it. A response is current if the
//! change sequences are still the same as when it was made. The check needs no round trip of its
//! own. The cache makes the request conditional, and the handler's SQL statement returns either
//! "unchanged" or the new page ([`crate::coalescer`]).
//!
//! The gateway may also send a response without a check. There are two conditions: the last check
//! must be recent enough for the client or for the setting `FRESH_SECONDS`
//! ([`http_semantics::freshness`]), and the response must not be older than the client's bookmark.
//!
//! For the setting, there may also be a cache of the platform that all isolates share. It answers calls
//! of the binding `SHARED` (`workers/shared_reads.ts`). The age and the bookmark of its responses are
//! checked like those of this memory. They cannot be revalidated, so they have keys of their own here.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use domain::Param;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use http_semantics::bookmark::Observed;
use http_semantics::lru_cache::LruCache;
use http_semantics::timing::Timings;
use http_semantics::{Tag, freshness};
use tables::ChangeSeqs;

use crate::coalescer::{self, Check, PageCheck};
use crate::env::consistency::Consistency;
use crate::http::headers;
use crate::http::request::{Method, Request};
use crate::http::response::{CURRENT_AT_HEADER, CachedResponse, Response};
use crate::route::Route;
use crate::service_client::ServiceClient;
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
pub struct Entry {
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

/// Looks up the response to a request with this key and largest age in milliseconds.
pub type SharedCache = for<'a> fn(&'a Request, &'a str, i64) -> Find<'a>;

type Find<'a> = LocalBoxFuture<'a, Option<Rc<Entry>>>;

/// The result of a lookup.
pub(crate) enum Lookup {
    /// The cached response may be sent.
    Hit(Response),
    /// The handler runs, and its response is to be stored.
    Miss(Miss),
    /// The handler runs, and nothing is stored.
    Bypass,
}

/// The key and the time of a response that is to be stored.
pub(crate) struct Miss {
    key: String,
    /// When the request arrived, in milliseconds since 1970.
    requested_at: i64,
    consistency: Rc<Consistency>,
    /// Whether the response is stored although it cannot be checked.
    is_reusable: bool,
    /// The cached response that the handler checks.
    checked: Option<Checked>,
}

/// A cached response that a handler checks: it sends a 304 if the response is current.
struct Checked {
    entry: Rc<Entry>,
    /// The client's `If-None-Match`.
    etag: Option<String>,
    timings: Rc<RefCell<Timings>>,
    /// Others wait for the next check until this one has ended.
    _check: Check,
}

/// Looks up the response to a request. Without `route.properties.cached`, a response cannot be
/// checked.
pub(crate) async fn find(
    request: &mut Request,
    route: &Route,
    shared: Option<SharedCache>,
) -> Lookup {
    let requested_at = now();
    let max_age_ms = request.max_age_ms();
    let read = route.properties.cached.as_ref();
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
    let mut is_hit = true;
    let fresh = match &cached {
        Some(entry) if entry.may_be_sent_to(request, max_age_ms) => cached.clone(),
        _ => {
            let shared = match shared {
                Some(find) => find(request, &key, max_age_ms).await,
                None => None,
            };
            // The other entrypoint may have made it for this request.
            is_hit = shared
                .as_ref()
                .is_some_and(|entry| entry.current_at.get() < requested_at);
            shared
        }
    };
    if let Some(entry) = fresh {
        let age = is_hit.then(|| freshness::age_seconds(requested_at - entry.current_at.get()));
        let response = entry.response_to(&request.is_negotiated, etag.as_deref());
        let response = response.header_if("age", age.map(|age| age.to_string()));
        return Lookup::Hit(response.header_if("cache-status", is_hit.then_some("join; hit")));
    }
    let mut checked = None;
    if let Some(entry) = cached {
        if let Some((read, seqs)) = read.zip(entry.response.change_seqs) {
            let page = page_check(request, route, &key, &entry);
            let check = coalescer::check(request, Some(page), read).await;
            if let Check::Read(Some(current)) = check {
                let newest = CACHE.with_borrow_mut(|cache| cache.get(&key));
                let newest = newest.filter(|entry| entry.response.change_seqs == Some(current));
                if let Some(entry) = newest {
                    let span = [requested_at, now()];
                    request.timings.borrow_mut().record("held", span, "proved");
                    entry.confirm(requested_at, request.env.consistency());
                    let etag = etag.filter(|etag| entry.response.etag().as_ref() == Some(etag));
                    let response = entry.response_to(&request.is_negotiated, etag.as_deref());
                    return Lookup::Hit(response.with_copy(&entry.response));
                }
            }
            // Only the reader of a check of its own expects a 304. If others have read that the
            // response is stale, or could not read anything, the handler gets no condition.
            request.if_none_match = None;
            if let Check::Own(_) = check {
                request.if_none_match = entry.response.etag();
                request.cached_at = Some(seqs);
                checked = Some(Checked {
                    entry,
                    etag,
                    timings: Rc::clone(&request.timings),
                    _check: check,
                });
            }
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
        checked,
    })
}

/// The cache that all isolates share, for requests to which only the setting applies.
#[must_use]
pub fn shared_cache<'a>(request: &'a Request, key: &'a str, max_age_ms: i64) -> Find<'a> {
    shared_entry(request, key, max_age_ms).boxed_local()
}

async fn shared_entry(request: &Request, key: &str, max_age_ms: i64) -> Option<Rc<Entry>> {
    // The clocks of two machines differ, so the times of a write and of a response are not compared.
    let has_written = now() - LAST_WRITE.get() <= max_age_ms;
    if max_age_ms == 0 || has_written || request.header("cache-control").is_some() {
        return None;
    }
    // The response does not fulfil what the client's bookmark requires before it has been compared.
    let env = request.env.for_shared_run(false);
    let client = ServiceClient::for_gateway(&env, "SHARED", "shared").ok()?;
    // The key of a request begins with its path.
    let key = format!("shared {key}");
    let may_be_sent = |entry: &Rc<Entry>| {
        let etag = &request.if_none_match;
        entry.may_be_sent_to(request, max_age_ms)
            && (etag.is_none() || *etag == entry.response.etag())
    };
    let kept = CACHE.with_borrow_mut(|cache| cache.get(&key));
    if kept.as_ref().is_some_and(may_be_sent) {
        return kept;
    }
    let path = format!("/v1{}?{}", request.path, request.query);
    let accept = request.header("accept");
    let accept = accept.as_deref().map(|accept| ("accept", accept));
    let sent = client.send("GET", &path, accept.as_slice(), None).await;
    let response = sent.ok()?;
    let headers = response.headers();
    let current_at = headers::get(&headers, CURRENT_AT_HEADER)?.parse().ok()?;
    let copy = client.read_response(&response).await.ok()?;
    let copy = copy.with_future_copy(current_at, MAX_RESPONSE_BYTES, true);
    let observed = env.consistency().observed();
    let entry = put(key, &copy.cached_copy()?, false, observed);
    may_be_sent(&entry).then_some(entry)
}

/// The check of a page for several requests: runs the handler, and stores a new page.
fn page_check(request: &Request, route: &Route, key: &str, entry: &Rc<Entry>) -> PageCheck {
    let (request, handler) = (request.clone(), Rc::clone(&route.handler));
    let (entry, page) = (Rc::clone(entry), key.to_owned());
    let read = coalescer::change_seqs_reader(move |env| {
        // Another request may have stored the new page meanwhile.
        let newest = CACHE.with_borrow_mut(|cache| cache.get(&page));
        let (entry, page) = (newest.unwrap_or_else(|| Rc::clone(&entry)), page.clone());
        let is_negotiated = Rc::new(Cell::new(false));
        let miss = Miss {
            key: page,
            requested_at: now(),
            consistency: Rc::clone(env.consistency()),
            is_reusable: false,
            checked: None,
        };
        let response = handler(Request {
            env,
            if_none_match: entry.response.etag(),
            cached_at: entry.response.change_seqs,
            is_negotiated: Rc::clone(&is_negotiated),
            timings: Rc::default(),
            ..request.clone()
        });
        async move {
            let response = response.await.ok()?;
            let seqs = response.change_seqs();
            if response.is_not_modified() {
                return miss.confirm(&entry, seqs?).response.change_seqs;
            }
            let copy = response.into_copy(miss.requested_at, MAX_RESPONSE_BYTES);
            let copy = copy.await.ok()??;
            miss.put(&copy, is_negotiated.get());
            copy.change_seqs
        }
    });
    PageCheck {
        key: key.to_owned(),
        read,
    }
}

impl Entry {
    /// Whether the request may get this response without a check: it is not older than the bound, than
    /// the last write of this isolate, nor than the client's bookmark.
    fn may_be_sent_to(&self, request: &Request, max_age_ms: i64) -> bool {
        let observed = self.observed.borrow();
        let consistency = request.env.consistency();
        let current_at = self.current_at.get();
        let may_be_sent = now() - current_at <= max_age_ms
            && current_at > LAST_WRITE.get()
            && consistency.may_share(&observed);
        if may_be_sent {
            consistency.observe(&observed);
        }
        may_be_sent
    }

    /// Records that the response was current at a time.
    fn confirm(&self, at: i64, consistency: &Consistency) {
        self.current_at.set(at);
        self.observed.replace(consistency.observed());
    }

    /// The response to a request with this `If-None-Match`.
    fn response_to(&self, is_negotiated: &Cell<bool>, etag: Option<&str>) -> Response {
        is_negotiated.set(self.is_negotiated);
        match etag.and_then(Tag::parse) {
            Some(tag) => Response::not_modified(&tag).with_change_seqs(self.response.change_seqs),
            None => self.response.to_response(),
        }
    }
}

impl Miss {
    /// The response to the client. If the handler's is a 304, the cached response is current.
    /// Otherwise the new one is stored as soon as its whole body is known.
    pub(crate) fn finish(mut self, response: Response, is_negotiated: &Cell<bool>) -> Response {
        if let Some(checked) = self.checked.take()
            && response.is_not_modified()
        {
            let Checked {
                entry,
                etag,
                timings,
                ..
            } = checked;
            let span = [self.requested_at, now()];
            timings.borrow_mut().record("held", span, "proved");
            let entry = match response.change_seqs() {
                Some(seqs) => self.confirm(&entry, seqs),
                None => entry,
            };
            let response = entry.response_to(is_negotiated, etag.as_deref());
            return response.with_copy(&entry.response);
        }
        let is_negotiated = is_negotiated.get();
        let response =
            response.with_future_copy(self.requested_at, MAX_RESPONSE_BYTES, self.is_reusable);
        response.when_cached(move |copy| drop(self.put(copy, is_negotiated)))
    }

    fn put(self, copy: &Rc<CachedResponse>, is_negotiated: bool) -> Rc<Entry> {
        put(self.key, copy, is_negotiated, self.consistency.observed())
    }

    /// Records that a cached response is current at these change sequences. They may be later than
    /// its own, if another record has changed since.
    fn confirm(self, entry: &Rc<Entry>, seqs: ChangeSeqs) -> Rc<Entry> {
        if entry.response.change_seqs == Some(seqs) {
            entry.confirm(self.requested_at, &self.consistency);
            return Rc::clone(entry);
        }
        let copy = entry.response.at(seqs, self.requested_at);
        self.put(&Rc::new(copy), entry.is_negotiated)
    }
}

/// Stores a response.
fn put(
    key: String,
    copy: &Rc<CachedResponse>,
    is_negotiated: bool,
    observed: Observed,
) -> Rc<Entry> {
    let bytes = key.len() + copy.bytes + ENTRY_OVERHEAD_BYTES;
    let entry = Rc::new(Entry {
        response: Rc::clone(copy),
        is_negotiated,
        current_at: Cell::new(copy.requested_at),
        observed: RefCell::new(observed),
    });
    CACHE.with_borrow_mut(|cache| cache.put(key, Rc::clone(&entry), bytes));
    entry
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
    let accept = request.header("accept").unwrap_or_default();
    let is_plain = request.parts.method == Method::Get
        && request.header("if-match").is_none()
        && accept.len() <= MAX_ACCEPT_BYTES;
    is_plain.then(|| key_with(request, &accept))
}

/// Removes all responses of this isolate, for example after an erasure: a stale response could
/// otherwise replace an error later.
pub fn clear_response_cache() {
    CACHE.with_borrow_mut(LruCache::clear);
}

fn key_of_get(request: &Request) -> String {
    key_with(request, &request.header("accept").unwrap_or_default())
}

fn key_with(request: &Request, accept: &str) -> String {
    format!("{}?{} {accept}", request.path, request.query)
}
