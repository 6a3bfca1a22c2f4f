//! Reads a body chunk by chunk.

use std::cell::RefCell;

use futures_util::{Stream, stream};
use js_sys::{ArrayBuffer, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::ReadableStream;

/// The size of a full chunk, in bytes. The platform delivers 4 KB at a time, and each read costs as
/// much as the read of a full chunk.
const CHUNK_BYTES: u32 = 64 * 1024;

#[wasm_bindgen]
extern "C" {
    /// The reader of a body (`ReadableStreamBYOBReader`).
    pub type Reader;

    #[wasm_bindgen(method, js_name = readAtLeast)]
    fn read_at_least(this: &Reader, min_bytes: u32, into: &Uint8Array) -> Promise;

    /// Cancels the body.
    #[wasm_bindgen(method)]
    pub fn cancel(this: &Reader) -> Promise;
}

/// A body in chunks of 64 KB. Only the last one is smaller.
pub fn full_chunks(
    body: Option<ReadableStream>,
) -> impl Stream<Item = Result<Vec<u8>, JsValue>> + use<> {
    chunks_of_at_least(CHUNK_BYTES, body)
}

/// A body in chunks of any size, each as soon as it arrives.
pub fn chunks(
    body: Option<ReadableStream>,
) -> impl Stream<Item = Result<Vec<u8>, JsValue>> + use<> {
    chunks_of_at_least(1, body)
}

fn chunks_of_at_least(
    min_bytes: u32,
    body: Option<ReadableStream>,
) -> impl Stream<Item = Result<Vec<u8>, JsValue>> + use<> {
    stream::unfold(State::Unread(body), move |state| async move {
        let reader = match state {
            State::Unread(Some(body)) => reader(&body),
            State::Reading(reader) => Ok(reader),
            State::Unread(None) | State::Ended => return None,
        };
        let read = match &reader {
            Ok(reader) => next_chunk(min_bytes, reader).await,
            Err(thrown) => Err(thrown.clone()),
        };
        match (read, reader) {
            (Ok(chunk), Ok(reader)) => Some((Ok(chunk?), State::Reading(reader))),
            (Err(thrown), _) | (_, Err(thrown)) => Some((Err(thrown), State::Ended)),
        }
    })
}

enum State {
    Unread(Option<ReadableStream>),
    Reading(Reader),
    Ended,
}

/// The reader of a body. It locks the body: nothing else can read it from now on.
pub fn reader(body: &ReadableStream) -> Result<Reader, JsValue> {
    let mode = Object::new();
    Reflect::set(&mode, &"mode".into(), &"byob".into())?;
    Ok(body
        .get_reader_with_options(mode.unchecked_ref())
        .unchecked_into())
}

thread_local! {
    /// Buffers for reuse. To allocate one takes longer than to read a small body.
    static SPARE_BUFFERS: RefCell<Vec<ArrayBuffer>> = RefCell::default();
}

/// The maximum number of spare buffers.
const MAX_SPARE_BUFFERS: usize = 8;

fn buffer() -> Uint8Array {
    match SPARE_BUFFERS.with_borrow_mut(Vec::pop) {
        Some(buffer) => Uint8Array::new(&buffer),
        None => Uint8Array::new_with_length(CHUNK_BYTES),
    }
}

/// The next chunk, or none after the last one.
async fn next_chunk(min_bytes: u32, reader: &Reader) -> Result<Option<Vec<u8>>, JsValue> {
    let read = reader.read_at_least(min_bytes, &buffer());
    chunk_from(&JsFuture::from(read).await?)
}

/// Starts to read the next full chunk.
pub fn read_chunk(reader: &Reader) -> Promise {
    reader.read_at_least(CHUNK_BYTES, &buffer())
}

/// The chunk of a finished read, or none after the last one.
pub fn chunk_from(read: &JsValue) -> Result<Option<Vec<u8>>, JsValue> {
    let value = Reflect::get(read, &"value".into())?;
    let Some(chunk) = value.dyn_ref::<Uint8Array>() else {
        return Ok(None);
    };
    let bytes = chunk.to_vec();
    let buffer = chunk.buffer();
    SPARE_BUFFERS.with_borrow_mut(|spare| {
        if spare.len() < MAX_SPARE_BUFFERS && buffer.byte_length() == CHUNK_BYTES {
            spare.push(buffer);
        }
    });
    Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
}
