//! Responses that can be sent again.

use std::cell::{Cell, OnceCell};

use wasm_bindgen::JsValue;
use web_sys::Headers;

use super::headers::{add, for_browsers};
use super::{Body, Common, Response};
use crate::change_seqs::ChangeSeqs;

/// A response that can be sent again.
#[derive(Clone)]
pub struct CachedResponse {
    headers: Vec<(&'static str, String)>,
    /// The same as a JavaScript object, once it was needed.
    common: OnceCell<Headers>,
    body: JsValue,
    /// The change sequences at which it was made.
    pub change_seqs: ChangeSeqs,
    /// The approximate size of its body.
    pub bytes: usize,
    /// When it was requested, in milliseconds since 1970: it was valid then, or later.
    pub requested_at: i64,
    /// Whether it is stored as a snapshot already.
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
            common: OnceCell::new(),
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

    /// The body: a text, or bytes.
    #[must_use]
    pub fn body(&self) -> &JsValue {
        &self.body
    }

    /// Its entity tag.
    #[must_use]
    pub fn etag(&self) -> Option<String> {
        self.header("etag").map(ToOwned::to_owned)
    }

    fn common(&self) -> Option<Headers> {
        if self.common.get().is_none() {
            let common = for_browsers().ok()?;
            add(&common, &self.headers).ok()?;
            let _ = self.common.set(common);
        }
        self.common.get().cloned()
    }

    /// The response, once more.
    #[must_use]
    pub fn to_response(&self) -> Response {
        let response = Response::new(200, Body::Js(self.body.clone()));
        match self.common() {
            Some(common) => Response {
                common: Common::Cached(common),
                ..response
            },
            None => Response {
                headers: self.headers.clone(),
                ..response
            },
        }
    }
}
