//! The copy of a response that a cache stores.
//!
//! A layer that stores responses observes the copy with [`Response::when_cached`]. The copy of a
//! buffered body exists at once. That of a stream exists after its last chunk.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use futures_util::StreamExt;
use js_sys::{JsString, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use super::{Body, CachedResponse, Response};
use crate::error::Error;
use crate::http::tee;

type Observer = Box<dyn FnOnce(&Rc<CachedResponse>)>;

/// A copy that exists now or later, and the observers that wait for it.
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
    /// Calls the observer with the copy of this response, if and when there is one.
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

    /// A response that was made from a copy.
    #[must_use]
    pub fn with_copy(self, copy: &Rc<CachedResponse>) -> Self {
        let future = FutureCopy::default();
        future.set(Rc::clone(copy));
        Self {
            copy: Some(future),
            ..self
        }
    }

    /// Copies a 200 whose change sequences are known. `at` is when the request arrived. A stream
    /// is copied while it is sent, up to `max_bytes`.
    #[must_use]
    pub fn with_future_copy(self, at: i64, max_bytes: usize) -> Self {
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
                    at,
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
                let keep = move |whole: Uint8Array| {
                    let bytes = whole.length() as usize;
                    set(whole.into(), bytes);
                };
                Body::Stream(tee::tee(chunks, max_bytes, keep))
            }
            other => other,
        };
        Self {
            body,
            copy: Some(future),
            ..self
        }
    }

    /// Reads the whole body without sending it: the copy, if the response can be copied.
    ///
    /// # Errors
    /// A stream that breaks off.
    pub async fn into_copy(
        self,
        at: i64,
        max_bytes: usize,
    ) -> Result<Option<Rc<CachedResponse>>, Error> {
        let response = self.with_future_copy(at, max_bytes);
        if let Body::Stream(mut chunks) = response.body {
            while let Some(chunk) = chunks.next().await {
                let _: JsValue = chunk.map_err(Error::platform("reading an answer"))?;
            }
        }
        Ok(response.copy.and_then(|future| future.copy.get().cloned()))
    }
}
