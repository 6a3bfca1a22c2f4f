//! Keeps the backends' responses from which combined responses were made, in the memory of this
//! isolate. After a write to one database, the response of the other backend is still current. The
//! gateway then uses it for the new combined response, without a call.

use std::cell::RefCell;
use std::rc::Rc;

use domain::Param;
use http_semantics::Tag;
use http_semantics::lru_cache::LruCache;
use js_sys::Uint8Array;
use web_sys::{Headers, Response, ResponseInit};

/// The maximum size of all parts, in bytes.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// The maximum size of one part.
pub const MAX_PART_BYTES: usize = 1024 * 1024;

/// The approximate size of a part without its body.
const OVERHEAD_BYTES: usize = 600;

/// A response of a backend.
struct Part {
    headers: Headers,
    body: Uint8Array,
}

thread_local! {
    static PARTS: RefCell<LruCache<Rc<Part>>> = RefCell::new(LruCache::new(MAX_BYTES));
}

/// The response to a path that has this tag, if it is in memory.
pub fn find(path: &str, tag: &Tag) -> Option<Response> {
    let part = PARTS.with_borrow_mut(|parts| parts.get(path))?;
    let etag = part.headers.get("etag").ok().flatten()?;
    if Tag::parse(&etag).as_ref() != Some(tag) {
        return None;
    }
    let init = ResponseInit::new();
    init.set_headers(&part.headers);
    Response::new_with_opt_buffer_source_and_init(Some(&part.body), &init).ok()
}

/// Stores the response to a path, whose body has been read.
pub fn store(path: &str, response: &Response, body: &[u8]) {
    if response.status() != 200 || body.len() > MAX_PART_BYTES {
        return;
    }
    let Ok(headers) = Headers::new_with_headers(&response.headers()) else {
        return;
    };
    let body = Uint8Array::from(body);
    let bytes = path.len() + body.length() as usize + OVERHEAD_BYTES;
    let part = Rc::new(Part { headers, body });
    PARTS.with_borrow_mut(|parts| parts.put(path.to_owned(), part, bytes));
}

/// Removes all parts, for example after an erasure.
pub fn clear() {
    PARTS.with_borrow_mut(LruCache::clear);
}
