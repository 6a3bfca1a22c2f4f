//! Cached responses.

use std::cell::{Cell, OnceCell};

use wasm_bindgen::JsValue;
use web_sys::Headers;

use super::{BaseHeaders, Body, Response};
use crate::change_seqs::ChangeSeqs;
use crate::http::headers::{add, for_browsers};

/// A response that can be sent again.
#[derive(Clone)]
pub struct CachedResponse {
    headers: Vec<(&'static str, String)>,
    /// The same as a JavaScript object, which is made when it is first used.
    base_headers: OnceCell<Headers>,
    body: JsValue,
    /// The change sequences at which it was made.
    pub change_seqs: ChangeSeqs,
    /// The approximate size of its body, in bytes.
    pub bytes: usize,
    /// When it was requested, in milliseconds since 1970. It was valid then, or later.
    pub requested_at: i64,
    /// Whether it is already stored as a snapshot.
    pub is_saved: Cell<bool>,
}

impl CachedResponse {
    pub(super) fn new(
        headers: Vec<(&'static str, String)>,
        body: JsValue,
        change_seqs: ChangeSeqs,
        bytes: usize,
        requested_at: i64,
    ) -> Self {
        Self {
            headers,
            base_headers: OnceCell::new(),
            body,
            change_seqs,
            bytes,
            requested_at,
            is_saved: Cell::new(false),
        }
    }

    /// A header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body: a string or a buffer.
    #[must_use]
    pub fn body(&self) -> &JsValue {
        &self.body
    }

    /// Its entity tag.
    #[must_use]
    pub fn etag(&self) -> Option<String> {
        self.header("etag").map(ToOwned::to_owned)
    }

    fn base_headers(&self) -> Option<Headers> {
        if self.base_headers.get().is_none() {
            let headers = for_browsers().ok()?;
            add(&headers, &self.headers).ok()?;
            let _ = self.base_headers.set(headers);
        }
        self.base_headers.get().cloned()
    }

    /// A response with the same headers and body.
    #[must_use]
    pub fn to_response(&self) -> Response {
        let response = Response::new(200, Body::Js(self.body.clone()));
        match self.base_headers() {
            Some(headers) => Response {
                base_headers: BaseHeaders::Cached(headers),
                ..response
            },
            None => Response {
                headers: self.headers.clone(),
                ..response
            },
        }
    }
}
