//! Copies a stream while it is sent.

use std::cell::Cell;

use futures_util::stream::{self, LocalBoxStream};
use futures_util::{StreamExt, TryStreamExt};
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};

use crate::timeout::now;

/// A stream of chunks.
pub type Chunks = LocalBoxStream<'static, Result<JsValue, JsValue>>;

/// After this time another stream may be copied, in milliseconds: a cancelled request never says
/// that it has ended.
const TIMEOUT_MS: i64 = 60_000;

thread_local! {
    /// When the copy in progress was started, in milliseconds since 1970. There is one at a time,
    /// because memory is short.
    static BUSY_SINCE: Cell<Option<i64>> = const { Cell::new(None) };
}

/// The chunks so far. They stay outside of wasm, whose memory never shrinks.
struct Buffer {
    chunks: Vec<Uint8Array>,
    bytes: usize,
}

impl Buffer {
    fn begin() -> Option<Self> {
        let now = now();
        let is_busy = |since| now - since < TIMEOUT_MS;
        if BUSY_SINCE.get().is_some_and(is_busy) {
            return None;
        }
        BUSY_SINCE.set(Some(now));
        Some(Self {
            chunks: Vec::new(),
            bytes: 0,
        })
    }

    /// Adds a chunk, if the whole still fits.
    fn with(mut self, chunk: &JsValue, most: usize) -> Option<Self> {
        let chunk = chunk.dyn_ref::<Uint8Array>()?.slice(0, u32::MAX);
        self.bytes += chunk.length() as usize;
        self.chunks.push(chunk);
        (self.bytes <= most).then_some(self)
    }

    fn whole(&self) -> Option<Uint8Array> {
        let whole = Uint8Array::new_with_length(u32::try_from(self.bytes).ok()?);
        let mut at = 0;
        for chunk in &self.chunks {
            whole.set(chunk, at);
            at += chunk.length();
        }
        Some(whole)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        BUSY_SINCE.set(None);
    }
}

/// The same stream. `keep` receives a copy if its end is reached within `most` bytes.
pub fn tee(chunks: Chunks, most: usize, keep: impl FnOnce(Uint8Array) + 'static) -> Chunks {
    // The copy starts with the first read: HEAD never reads.
    let started = stream::once(async move {
        let state = (chunks, Buffer::begin(), Some(keep));
        let rest = stream::unfold(state, move |(mut chunks, copy, mut keep)| async move {
            let Some(chunk) = chunks.next().await else {
                if let (Some(whole), Some(keep)) = (copy.and_then(|c| c.whole()), keep.take()) {
                    keep(whole);
                }
                return None;
            };
            let copy = copy.and_then(|all| all.with(chunk.as_ref().ok()?, most));
            Some((chunk, (chunks, copy, keep)))
        });
        Ok::<_, JsValue>(rest)
    });
    started.try_flatten().boxed_local()
}
