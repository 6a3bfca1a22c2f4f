//! Copies a stream while it is sent to the client.

use std::cell::Cell;

use futures_util::stream::{self, LocalBoxStream};
use futures_util::{StreamExt, TryStreamExt};
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};

use crate::time::now;

/// A stream of chunks.
pub type Chunks = LocalBoxStream<'static, Result<JsValue, JsValue>>;

/// The time after which another stream may be copied, in milliseconds. A request that was cancelled
/// never reports its end.
const TIMEOUT_MS: i64 = 60_000;

thread_local! {
    /// When the current copy was started, in milliseconds since 1970. There is only one at a time,
    /// to limit memory.
    static BUSY_SINCE: Cell<Option<i64>> = const { Cell::new(None) };
}

/// The chunks so far. They stay in JavaScript, because the memory of wasm never shrinks.
struct Buffer {
    chunks: Vec<Uint8Array>,
    bytes: usize,
}

impl Buffer {
    /// A buffer, unless another stream is being copied.
    fn acquire() -> Option<Self> {
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

    /// Adds a chunk. None if the copy becomes too large.
    fn with(mut self, chunk: &JsValue, max_bytes: usize) -> Option<Self> {
        let chunk = chunk.dyn_ref::<Uint8Array>()?.slice(0, u32::MAX);
        self.bytes += chunk.length() as usize;
        self.chunks.push(chunk);
        (self.bytes <= max_bytes).then_some(self)
    }

    fn concatenate(&self) -> Option<Uint8Array> {
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

/// The same stream. After its last chunk `store` receives a copy of at most `max_bytes`.
pub fn tee(chunks: Chunks, max_bytes: usize, store: impl FnOnce(Uint8Array) + 'static) -> Chunks {
    // The copy starts with the first read: a response to HEAD is never read.
    let started = stream::once(async move {
        let state = (chunks, Buffer::acquire(), Some(store));
        let rest = stream::unfold(state, move |(mut chunks, copy, mut store)| async move {
            let Some(chunk) = chunks.next().await else {
                let whole = copy.and_then(|copy| copy.concatenate());
                if let (Some(whole), Some(store)) = (whole, store.take()) {
                    store(whole);
                }
                return None;
            };
            let copy = copy.and_then(|copy| copy.with(chunk.as_ref().ok()?, max_bytes));
            Some((chunk, (chunks, copy, store)))
        });
        Ok::<_, JsValue>(rest)
    });
    started.try_flatten().boxed_local()
}
