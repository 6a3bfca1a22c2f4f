//! The copy of a response that a cache stores.
//!
//! The copy of a buffered body exists at once. The copy of a stream exists after its last chunk. So
//! a cache registers a callback with [`Response::when_cached`].

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use futures_util::StreamExt;
use js_sys::{JsString, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use super::{Body, CachedResponse, Response};
use crate::error::Error;
use crate::http::tee;

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

    /// Copies a 200 whose change sequences are known. A stream is copied while it is sent, up to
    /// `max_bytes`.
    #[must_use]
    pub fn with_future_copy(self, requested_at: i64, max_bytes: usize) -> Self {
        let Some(change_seqs) = self.change_seqs.filter(|_| self.status == 200) else {
            return self;
        };
        let headers = self.headers.clone();
        let future = FutureCopy::default();
        let set = {
            let future = future.clone();
            move |body, bytes| {
                future.set(Rc::new(CachedResponse::new(
                    headers,
                    body,
                    change_seqs,
                    bytes,
                    requested_at,
                )));
            }
        };
        let body = match self.body {
            Body::Js(body) => {
                if let Some(text) = body.dyn_ref::<JsString>() {
                    set(body.clone(), text.length() as usize);
                }
                Body::Js(body)
            }
            Body::Text(text) => {
                set(JsString::from(text.as_str()).into(), text.len());
                Body::Text(text)
            }
            Body::Bytes(bytes) => {
                set(Uint8Array::from(bytes.as_slice()).into(), bytes.len());
                Body::Bytes(bytes)
            }
            Body::Stream(chunks) => {
                let store = move |whole: Uint8Array| {
                    let bytes = whole.length() as usize;
                    set(whole.into(), bytes);
                };
                Body::Stream(tee::tee(chunks, max_bytes, store))
            }
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
        let response = self.with_future_copy(requested_at, max_bytes);
        if let Body::Stream(mut chunks) = response.body {
            while let Some(chunk) = chunks.next().await {
                let _: JsValue = chunk.map_err(Error::platform("reading a response"))?;
            }
        }
        Ok(response.copy.and_then(|future| future.copy.get().cloned()))
    }
}
