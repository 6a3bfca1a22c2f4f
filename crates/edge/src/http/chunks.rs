//! A body, as it comes.

use std::cell::RefCell;

use futures_util::{Stream, stream};
use js_sys::{ArrayBuffer, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::ReadableStream;

/// The bytes that are waited for before a part is taken. The platform cuts a body into pieces of
/// 4 KB, and each would cost as much as one of these.
const PART: u32 = 64 * 1024;

#[wasm_bindgen]
extern "C" {
    /// What reads a body.
    pub type Reader;

    #[wasm_bindgen(method, js_name = readAtLeast)]
    fn read_at_least(this: &Reader, least: u32, into: &Uint8Array) -> Promise;

    /// Has nothing more come.
    #[wasm_bindgen(method)]
    pub fn cancel(this: &Reader) -> Promise;
}

/// A body, of a request or an answer, as it comes: in parts of 64 KB, but for the last.
pub fn chunks(
    body: Option<ReadableStream>,
) -> impl Stream<Item = Result<Vec<u8>, JsValue>> + use<> {
    at_least(PART, body)
}

/// The same, each part as soon as there is anything of it: for who watches it come.
pub fn pieces(
    body: Option<ReadableStream>,
) -> impl Stream<Item = Result<Vec<u8>, JsValue>> + use<> {
    at_least(1, body)
}

fn at_least(
    least: u32,
    body: Option<ReadableStream>,
) -> impl Stream<Item = Result<Vec<u8>, JsValue>> + use<> {
    stream::unfold(State::Unread(body), move |state| async move {
        let reader = match state {
            State::Unread(Some(body)) => reader(&body),
            State::Reading(reader) => Ok(reader),
            State::Unread(None) | State::Ended => return None,
        };
        let read = match &reader {
            Ok(reader) => part(least, reader).await,
            Err(thrown) => Err(thrown.clone()),
        };
        match (read, reader) {
            (Ok(part), Ok(reader)) => Some((Ok(part?), State::Reading(reader))),
            (Err(thrown), _) | (_, Err(thrown)) => Some((Err(thrown), State::Ended)),
        }
    })
}

enum State {
    Unread(Option<ReadableStream>),
    Reading(Reader),
    Ended,
}

/// What reads a body, which nobody else reads any more.
pub fn reader(body: &ReadableStream) -> Result<Reader, JsValue> {
    let mode = Object::new();
    Reflect::set(&mode, &"mode".into(), &"byob".into())?;
    Ok(body
        .get_reader_with_options(mode.unchecked_ref())
        .unchecked_into())
}

thread_local! {
    /// What parts are read into, once it has been given back: making one takes longer than
    /// reading a small body.
    static SPARE: RefCell<Vec<ArrayBuffer>> = RefCell::default();
}

/// The most buffers that are kept.
const MOST_SPARE: usize = 8;

fn buffer() -> Uint8Array {
    match SPARE.with_borrow_mut(Vec::pop) {
        Some(buffer) => Uint8Array::new(&buffer),
        None => Uint8Array::new_with_length(PART),
    }
}

/// The next part; none behind the last.
async fn part(least: u32, reader: &Reader) -> Result<Option<Vec<u8>>, JsValue> {
    let read = reader.read_at_least(least, &buffer());
    taken(&JsFuture::from(read).await?)
}

/// What comes next.
pub fn next(reader: &Reader) -> Promise {
    reader.read_at_least(PART, &buffer())
}

/// The part that has come; none behind the last.
pub fn taken(read: &JsValue) -> Result<Option<Vec<u8>>, JsValue> {
    let value = Reflect::get(read, &"value".into())?;
    let Some(part) = value.dyn_ref::<Uint8Array>() else {
        return Ok(None);
    };
    let bytes = part.to_vec();
    let buffer = part.buffer();
    SPARE.with_borrow_mut(|spare| {
        if spare.len() < MOST_SPARE && buffer.byte_length() == PART {
            spare.push(buffer);
        }
    });
    Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
}
