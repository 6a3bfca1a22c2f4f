//! Answers that can go out again and again.

use std::cell::{Cell, OnceCell};

use js_sys::{JsString, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Headers;

use super::headers::{add, for_browsers};
use super::{Answer, Body, Common};
use crate::coalescer::revalidation::Marks;
use crate::http::tee as gather;

/// An answer that can go out again and again.
#[derive(Clone)]
pub struct Fixed {
    headers: Vec<(&'static str, String)>,
    /// The same as headers, once they have been needed.
    common: OnceCell<Headers>,
    body: JsValue,
    /// The marks of the registers that it is made from.
    pub marks: Marks,
    /// The bytes of its body, about.
    pub bytes: usize,
    /// When it was asked for, in milliseconds since 1970: it was right then, or later.
    pub at: i64,
    /// Whether who keeps answers has it already.
    pub is_kept: Cell<bool>,
}

impl Fixed {
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

    /// The answer, once more.
    #[must_use]
    pub fn answer(&self) -> Answer {
        let answer = Answer::new(200, Body::Js(self.body.clone()));
        match self.common() {
            Some(common) => Answer {
                common: Common::Held(common),
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
    /// Gives the answer to be kept, as one that was asked for at a time, if it is a 200 of which
    /// the marks are known; one that comes in parts is given once the last of them has gone out,
    /// if all of it has `most` bytes at most.
    #[must_use]
    pub fn kept(self, at: i64, most: usize, keep: impl FnOnce(Fixed) + 'static) -> Self {
        let Some(marks) = self.marks.filter(|_| self.status == 200) else {
            return self;
        };
        let headers = self.headers.clone();
        let fixed = move |body, bytes| Fixed {
            headers,
            common: OnceCell::new(),
            body,
            marks,
            bytes,
            at,
            is_kept: Cell::new(false),
        };
        let body = match self.body {
            Body::Js(body) => {
                if let Some(text) = body.dyn_ref::<JsString>() {
                    keep(fixed(body.clone(), text.length() as usize));
                }
                Body::Js(body)
            }
            Body::Text(text) => {
                keep(fixed(JsString::from(text.as_str()).into(), text.len()));
                Body::Text(text)
            }
            Body::Bytes(bytes) => {
                let held = Uint8Array::from(bytes.as_slice());
                keep(fixed(held.into(), bytes.len()));
                Body::Bytes(bytes)
            }
            Body::Stream(chunks) => {
                let keep = move |whole: Uint8Array| {
                    let bytes = whole.length() as usize;
                    keep(fixed(whole.into(), bytes));
                };
                Body::Stream(gather::gathered(chunks, most, keep))
            }
            other => other,
        };
        Self { body, ..self }
    }
}
