//! What an answer shows.

use futures_util::stream::LocalBoxStream;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use http_semantics::Problem;
use http_semantics::media::Frame;
use js_sys::{JsString, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Response;

use crate::Error;

/// A body.
pub enum Body {
    /// None at all.
    Empty,
    /// A text that JavaScript holds.
    Js(JsValue),
    /// Bytes as they come. Nothing runs until somebody reads them.
    Stream(LocalBoxStream<'static, Result<JsValue, JsValue>>),
    /// A text of our own.
    Text(String),
    /// Bytes of our own.
    Bytes(Vec<u8>),
    /// A problem, until it is known of which request.
    Problem(Box<Problem>),
    /// Another worker's whole answer, passed on as it is.
    Passed(Response),
}

impl Body {
    /// A body that comes in parts. When one of them fails the body must not be taken for
    /// whole, and a connection's end alone does not tell: so it ends with a record that is
    /// not finished, which says what failed and which no reader of JSON accepts.
    #[must_use]
    pub fn stream(
        parts: impl Stream<Item = Result<Vec<u8>, Error>> + 'static,
        frame: Frame,
    ) -> Self {
        let parts = parts.map_ok(|bytes| Uint8Array::from(bytes.as_slice()));
        Self::ended(parts, move |problem| {
            let problem = problem.to_json();
            let open = problem.strip_suffix('}').unwrap_or_default();
            format!("{}{open}", frame.between)
        })
    }

    /// The same, with what ends a body that failed.
    #[must_use]
    pub fn ended(
        parts: impl Stream<Item = Result<Uint8Array, Error>> + 'static,
        unfinished: impl Fn(&Problem) -> String + 'static,
    ) -> Self {
        let chunks = parts.flat_map(move |part| {
            let chunks = match part {
                Ok(bytes) => vec![Ok(bytes)],
                Err(error) => vec![
                    Ok(unfinished(&error.into_problem()).as_bytes().into()),
                    Err(js_sys::Error::new("the answer broke off").into()),
                ],
            };
            stream::iter(chunks)
        });
        let chunks = chunks.map_ok(JsValue::from);
        Self::Stream(chunks.boxed_local())
    }

    /// The same for HEAD: a text stays, because the platform tells its length and sends none
    /// of it, and a stream is never begun.
    pub(super) fn unread(self) -> Self {
        match self {
            Self::Stream(_) => Self::Empty,
            other => other,
        }
    }

    /// The body as the platform takes it, if there is one.
    pub(super) fn into_js(self) -> Option<JsValue> {
        match self {
            Self::Empty | Self::Passed(_) => None,
            Self::Js(value) => Some(value),
            Self::Stream(chunks) => {
                let stream = wasm_streams::ReadableStream::from_stream(chunks);
                Some(stream.into_raw().into())
            }
            Self::Text(text) => Some(JsString::from(text).into()),
            Self::Bytes(bytes) => Some(Uint8Array::from(bytes.as_slice()).into()),
            Self::Problem(problem) => Some(JsString::from(problem.to_json()).into()),
        }
    }
}

#[wasm_bindgen]
extern "C" {
    type TextEncoder;

    #[wasm_bindgen(constructor)]
    fn new() -> TextEncoder;

    #[wasm_bindgen(method)]
    fn encode(this: &TextEncoder, text: &JsValue) -> Uint8Array;
}

/// The bytes of a text that JavaScript holds: it is not copied into wasm for that.
pub fn encoded(text: &JsValue) -> Uint8Array {
    TextEncoder::new().encode(text)
}
