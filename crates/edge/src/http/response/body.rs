//! The body of a response. It has several forms, such as a text, a stream or a JavaScript value.

use std::rc::Rc;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use http_semantics::Problem;
use http_semantics::media::ListFraming;
use js_sys::{JsString, Promise, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::worker_sys;

use crate::error::Error;
use crate::http::tee::Chunks;

/// A body.
pub enum Body {
    /// No body.
    Empty,
    /// A JavaScript string or buffer.
    Js(JsValue),
    /// A stream. Nothing runs until the client reads it.
    Stream(Chunks),
    /// A string in wasm.
    Text(String),
    /// Bytes in wasm.
    Bytes(Vec<u8>),
    /// A problem without its request id.
    Problem(Box<Problem>),
    /// Another worker's complete response, which is forwarded unchanged.
    Proxied(web_sys::Response),
}

impl Body {
    /// A stream of chunks. If one fails, the body ends with an unfinished record that contains the
    /// problem, which no JSON parser accepts. A client could mistake a body that only ends for a
    /// complete one.
    #[must_use]
    pub fn stream(
        chunks: impl Stream<Item = Result<Vec<u8>, Error>> + 'static,
        frame: ListFraming,
    ) -> Self {
        let chunks = chunks.map_ok(|bytes| Uint8Array::from(bytes.as_slice()));
        Self::stream_with_error_end(chunks, move |problem| {
            let problem = problem.to_json();
            let open = problem.strip_suffix('}').unwrap_or_default();
            format!("{}{open}", frame.between)
        })
    }

    /// A stream of chunks. If one fails, the body ends with the text that `unfinished` returns.
    #[must_use]
    pub fn stream_with_error_end(
        chunks: impl Stream<Item = Result<Uint8Array, Error>> + 'static,
        unfinished: impl Fn(&Problem) -> String + 'static,
    ) -> Self {
        let chunks = chunks.flat_map(move |chunk| {
            let chunks = match chunk {
                Ok(bytes) => vec![Ok(bytes)],
                Err(error) => vec![
                    Ok(unfinished(&error.into_problem()).as_bytes().into()),
                    Err(js_sys::Error::new("the response broke off").into()),
                ],
            };
            stream::iter(chunks)
        });
        let chunks = chunks.map_ok(JsValue::from);
        Self::Stream(chunks.boxed_local())
    }

    /// The body for HEAD. A text stays, because the platform sends only its length. A stream is
    /// removed, so that it never starts.
    pub(super) fn without_stream(self) -> Self {
        match self {
            Self::Stream(_) => Self::Empty,
            other => other,
        }
    }

    /// The body as a JavaScript value, if there is one.
    pub(super) fn into_js(self, context: &Rc<worker_sys::Context>) -> Option<JsValue> {
        match self {
            Self::Empty | Self::Proxied(_) => None,
            Self::Js(value) => Some(value),
            Self::Stream(chunks) => {
                let chunks = uninterrupted(chunks, Rc::clone(context));
                let stream = wasm_streams::ReadableStream::from_stream(chunks);
                Some(stream.into_raw().into())
            }
            Self::Text(text) => Some(JsString::from(text).into()),
            Self::Bytes(bytes) => Some(Uint8Array::from(bytes.as_slice()).into()),
            Self::Problem(problem) => Some(JsString::from(problem.to_json()).into()),
        }
    }
}

/// The same stream, whose reads run under `waitUntil`. If the client disconnects during a read, the
/// platform would otherwise never complete it, and its memory would never be freed.
fn uninterrupted(
    chunks: Chunks,
    context: Rc<worker_sys::Context>,
) -> impl Stream<Item = Result<JsValue, JsValue>> {
    stream::unfold((chunks, context), |(mut chunks, context)| async move {
        let mut finish = None;
        let finished = Promise::new(&mut |resolve, _| finish = Some(resolve));
        // The platform rejects it after the request has ended, and then nobody reads the stream.
        let _ = context.wait_until(&finished);
        let chunk = chunks.next().await;
        if let Some(finish) = finish {
            let _ = finish.call0(&JsValue::UNDEFINED);
        }
        Some((chunk?, (chunks, context)))
    })
}

#[wasm_bindgen]
extern "C" {
    type TextEncoder;

    #[wasm_bindgen(constructor)]
    fn new() -> TextEncoder;

    #[wasm_bindgen(method)]
    fn encode(this: &TextEncoder, text: &JsValue) -> Uint8Array;
}

/// The UTF-8 bytes of a JavaScript string, without a copy in wasm.
pub fn encode_utf8(text: &JsValue) -> Uint8Array {
    TextEncoder::new().encode(text)
}
