//! A stream that is gathered on its way out.

use std::cell::Cell;

use futures_util::stream::{self, LocalBoxStream};
use futures_util::{StreamExt, TryStreamExt};
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};

use crate::now;

/// What a stream is made of.
pub type Chunks = LocalBoxStream<'static, Result<JsValue, JsValue>>;

/// How long one is waited for, in milliseconds: a request that is gone never says so.
const PATIENCE: i64 = 60_000;

thread_local! {
    /// Since when a stream is being gathered, in milliseconds since 1970: one at a time, because
    /// memory is short.
    static BUSY_SINCE: Cell<Option<i64>> = const { Cell::new(None) };
}

/// What has come so far. It stays outside of wasm, whose memory never shrinks.
struct Gathering {
    parts: Vec<Uint8Array>,
    bytes: usize,
}

impl Gathering {
    fn begin() -> Option<Self> {
        let now = now();
        let is_busy = |since| now - since < PATIENCE;
        if BUSY_SINCE.get().is_some_and(is_busy) {
            return None;
        }
        BUSY_SINCE.set(Some(now));
        Some(Self {
            parts: Vec::new(),
            bytes: 0,
        })
    }

    /// Takes a part, if all still fits.
    fn with(mut self, part: &JsValue, most: usize) -> Option<Self> {
        let part = part.dyn_ref::<Uint8Array>()?.slice(0, u32::MAX);
        self.bytes += part.length() as usize;
        self.parts.push(part);
        (self.bytes <= most).then_some(self)
    }

    fn whole(&self) -> Option<Uint8Array> {
        let whole = Uint8Array::new_with_length(u32::try_from(self.bytes).ok()?);
        let mut at = 0;
        for part in &self.parts {
            whole.set(part, at);
            at += part.length();
        }
        Some(whole)
    }
}

impl Drop for Gathering {
    fn drop(&mut self) {
        BUSY_SINCE.set(None);
    }
}

/// The same stream; `keep` gets the whole of it if it comes to its end within `most` bytes.
pub fn gathered(chunks: Chunks, most: usize, keep: impl FnOnce(Uint8Array) + 'static) -> Chunks {
    // Nothing is begun before somebody reads: a HEAD never does.
    let begun = stream::once(async move {
        let state = (chunks, Gathering::begin(), Some(keep));
        let rest = stream::unfold(state, move |(mut chunks, gathering, mut keep)| async move {
            let Some(chunk) = chunks.next().await else {
                if let (Some(whole), Some(keep)) = (gathering.and_then(|g| g.whole()), keep.take())
                {
                    keep(whole);
                }
                return None;
            };
            let part = chunk.as_ref().ok();
            let gathering = gathering.and_then(|all| all.with(part?, most));
            Some((chunk, (chunks, gathering, keep)))
        });
        Ok::<_, JsValue>(rest)
    });
    begun.try_flatten().boxed_local()
}
