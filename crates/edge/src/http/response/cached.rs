//! Responses that can be sent again.

use std::cell::{Cell, OnceCell};

use js_sys::{JsString, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Headers;

use super::headers::{add, for_browsers};
use super::{Answer, Body, Common};
use crate::change_seqs::ChangeSeqs;
use crate::http::tee;

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
    pub at: i64,
    /// Whether it is stored as a snapshot already.
    pub is_kept: Cell<bool>,
}

impl CachedResponse {
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
    pub fn answer(&self) -> Answer {
        let answer = Answer::new(200, Body::Js(self.body.clone()));
        match self.common() {
            Some(common) => Answer {
                common: Common::Cached(common),
                ..answer
            },
            None => Answer {
                headers: self.headers.clone(),
                ..answer
            },
        }
    }
}

impl Answer {
    /// Passes a copy of the response to `keep`, if it is a 200 with known change sequences. A copy
    /// of a stream follows once its end was sent, if the whole has at most `most` bytes. `at` is
    /// when it was requested.
    #[must_use]
    pub fn kept(self, at: i64, most: usize, keep: impl FnOnce(CachedResponse) + 'static) -> Self {
        let Some(change_seqs) = self.change_seqs.filter(|_| self.status == 200) else {
            return self;
        };
        let headers = self.headers.clone();
        let cached = move |body, bytes| CachedResponse {
            headers,
            common: OnceCell::new(),
            body,
            change_seqs,
            bytes,
            at,
            is_kept: Cell::new(false),
        };
        let body = match self.body {
            Body::Js(body) => {
                if let Some(text) = body.dyn_ref::<JsString>() {
                    keep(cached(body.clone(), text.length() as usize));
                }
                Body::Js(body)
            }
            Body::Text(text) => {
                keep(cached(JsString::from(text.as_str()).into(), text.len()));
                Body::Text(text)
            }
            Body::Bytes(bytes) => {
                let copy = Uint8Array::from(bytes.as_slice());
                keep(cached(copy.into(), bytes.len()));
                Body::Bytes(bytes)
            }
            Body::Stream(chunks) => {
                let keep = move |whole: Uint8Array| {
                    let bytes = whole.length() as usize;
                    keep(cached(whole.into(), bytes));
                };
                Body::Stream(tee::tee(chunks, most, keep))
            }
            other => other,
        };
        Self { body, ..self }
    }
}
