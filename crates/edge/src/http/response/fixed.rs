//! Answers that can go out again and again.

use std::cell::{Cell, OnceCell};

use wasm_bindgen::JsValue;
use web_sys::Headers;

use super::headers::{add, for_browsers};
use super::{Answer, Body, Common};
use crate::coalescer::revalidation::Marks;

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
    /// Whether a second tier has saved it.
    pub is_saved: Cell<bool>,
}

impl Fixed {
    pub(super) fn new(
        headers: Vec<(&'static str, String)>,
        body: JsValue,
        marks: Marks,
        bytes: usize,
        at: i64,
    ) -> Self {
        Self {
            headers,
            common: OnceCell::new(),
            body,
            marks,
            bytes,
            at,
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
