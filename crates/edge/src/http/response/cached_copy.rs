//! The copy of a response that a cache stores and sends again.
//!
//! The copy of a buffered body exists at once. The copy of a stream exists only after its last
//! chunk. So a cache gets the copy in a callback, which it registers with
//! [`Response::when_cached`].

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use futures_util::StreamExt;
use js_sys::Uint8Array;
use tables::ChangeSeqs;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Headers;

use super::body::encode_utf8;
use super::{BaseHeaders, Body, Response};
use crate::error::Error;
use crate::http::headers::{add, for_browsers};
use crate::http::tee;

/// A response that can be sent again.
#[derive(Clone)]
pub struct CachedResponse {
    headers: Vec<(&'static str, String)>,
    /// The same as a JavaScript object, which is made when it is first used.
    base_headers: OnceCell<Headers>,
    body: JsValue,
    /// The change sequences at which it was made. None if it cannot be checked.
    pub change_seqs: Option<ChangeSeqs>,
    /// The size of its body, in bytes.
    pub bytes: usize,
    /// When it was requested, in milliseconds since 1970. It was valid then, or later.
    pub requested_at: i64,
    /// Whether it is already stored as a snapshot.
    pub is_saved: Cell<bool>,
}

impl CachedResponse {
    fn new(
        headers: Vec<(&'static str, String)>,
        base_headers: Option<Headers>,
        body: JsValue,
        change_seqs: Option<ChangeSeqs>,
        bytes: usize,
        requested_at: i64,
    ) -> Self {
        Self {
            headers,
            base_headers: base_headers.map_or_else(OnceCell::new, OnceCell::from),
            body,
            change_seqs,
            bytes,
            requested_at,
            is_saved: Cell::new(false),
        }
    }

    /// The same response, which is also valid at later change sequences.
    #[must_use]
    pub fn at(&self, change_seqs: ChangeSeqs, requested_at: i64) -> Self {
        Self {
            change_seqs: Some(change_seqs),
            requested_at,
            is_saved: Cell::new(false),
            ..self.clone()
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

    /// The body: a buffer.
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

type Observer = Box<dyn FnOnce(&Rc<CachedResponse>)>;

/// A copy that exists now or later, and the callbacks that wait for it.
#[derive(Clone, Default)]
pub struct FutureCopy {
    copy: Rc<OnceCell<Rc<CachedResponse>>>,
    observers: Rc<RefCell<Vec<Observer>>>,
}

impl FutureCopy {
    fn set(&self, copy: Rc<CachedResponse>) {
        for observe in self.observers.take() {
            observe(&copy);
        }
        let _ = self.copy.set(copy);
    }
}

impl Response {
    /// Calls `observe` with the copy of this response, as soon as there is one.
    #[must_use]
    pub fn when_cached(self, observe: impl FnOnce(&Rc<CachedResponse>) + 'static) -> Self {
        if let Some(future) = &self.copy {
            match future.copy.get() {
                Some(copy) => observe(copy),
                None => future.observers.borrow_mut().push(Box::new(observe)),
            }
        }
        self
    }

    /// Sets the copy that this response was made from.
    #[must_use]
    pub fn with_copy(self, copy: &Rc<CachedResponse>) -> Self {
        let future = FutureCopy::default();
        future.set(Rc::clone(copy));
        Self {
            copy: Some(future),
            ..self
        }
    }

    /// Copies a complete 200, if it can be checked later (its change sequences are known) or need
    /// not be (`is_reusable`). A stream is copied while it is sent, up to `max_bytes`.
    #[must_use]
    pub fn with_future_copy(self, requested_at: i64, max_bytes: usize, is_reusable: bool) -> Self {
        let change_seqs = self.change_seqs;
        let is_complete = self.status == 200 && self.partial_reason.is_none();
        if !is_complete || !(is_reusable || change_seqs.is_some()) {
            return self;
        }
        let headers = self.headers.clone();
        let base_headers = match &self.base_headers {
            BaseHeaders::Cached(headers) => Some(headers.clone()),
            BaseHeaders::Browser | BaseHeaders::Empty => None,
        };
        let future = FutureCopy::default();
        let set = {
            let future = future.clone();
            move |body, bytes| {
                future.set(Rc::new(CachedResponse::new(
                    headers,
                    base_headers,
                    body,
                    change_seqs,
                    bytes,
                    requested_at,
                )));
            }
        };
        // A cached text is encoded, so that its size in bytes is known. The platform stores a string
        // with one or two bytes per character, depending on its characters.
        let set = move |whole: Uint8Array| {
            let bytes = whole.length() as usize;
            set(whole.into(), bytes);
        };
        let body = match self.body {
            Body::Js(body) if body.is_string() => {
                let bytes = encode_utf8(&body);
                set(bytes.clone());
                Body::Js(bytes.into())
            }
            Body::Js(body) if body.is_instance_of::<Uint8Array>() => {
                set(body.clone().unchecked_into());
                Body::Js(body)
            }
            Body::Text(text) => {
                set(Uint8Array::from(text.as_bytes()));
                Body::Text(text)
            }
            Body::Bytes(bytes) => {
                set(Uint8Array::from(bytes.as_slice()));
                Body::Bytes(bytes)
            }
            Body::Stream(chunks) => Body::Stream(tee::tee(chunks, max_bytes, set)),
            other => other,
        };
        Self {
            body,
            copy: Some(future),
            ..self
        }
    }

    /// Reads the whole body without sending it. Returns the copy, if the response can be copied.
    ///
    /// # Errors
    /// A stream that breaks off.
    pub async fn into_copy(
        self,
        requested_at: i64,
        max_bytes: usize,
    ) -> Result<Option<Rc<CachedResponse>>, Error> {
        let response = self.with_future_copy(requested_at, max_bytes, false);
        if let Body::Stream(mut chunks) = response.body {
            while let Some(chunk) = chunks.next().await {
                let _: JsValue = chunk.map_err(Error::platform("reading a response"))?;
            }
        }
        Ok(response.copy.and_then(|future| future.copy.get().cloned()))
    }
}
