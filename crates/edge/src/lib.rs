//! The platform shell that the three workers share: a request comes in as a [`Call`],
//! the [`Routes`] find its handler, the handler asks a [`Database`] or an [`Upstream`]
//! and gives an [`Answer`] or an [`Error`].
//!
//! A body that `SQLite` or another worker made stays a JavaScript value on its way
//! through: it is not copied into wasm unless something has to read it.

pub mod access;
mod answer;
mod call;
mod callee;
mod chunks;
mod cors;
mod d1;
mod env;
mod error;
pub mod export;
mod gather;
pub mod health;
mod held;
pub mod import;
mod incoming;
mod limit;
pub mod log;
mod page;
mod patience;
pub mod proof;
mod reading;
mod replay;
mod routes;
mod serve;
mod stored;
mod together;
mod trace;
mod upstream;

pub use answer::{Answer, Body, Fixed};
pub use call::{Call, JSON, Keep, MERGE_PATCH, RECORD_BYTES, TRIES};
pub use callee::UNASKED;
pub use chunks::{chunks, pieces};
pub use d1::{Database, Row};
pub use env::Env;
pub use error::Error;
pub use held::{held, last};
pub use incoming::{Incoming, Method};
pub use page::PageRow;
pub use patience::{Parts, pause, within};
pub use proof::Marks;
pub use replay::Keyed;
pub use routes::{Handlers, Routes, any, delete, get, patch, post, put};
pub use serve::serve;
pub use stored::{Stored, record_of};
pub use together::{Queue, together};
pub use trace::{Trace, random_token};
pub use upstream::Upstream;

/// Texts that go over to JavaScript with about every request.
const OFTEN: [&str; 16] = [
    "GET",
    "accept",
    "application/json",
    "content-type",
    "etag",
    "https://people/internal/counter",
    "https://places/internal/counter",
    "if-match",
    "if-none-match",
    "link",
    "nosniff",
    "vary",
    "x-change-counter",
    "x-d1-bookmark",
    "x-content-type-options",
    "x-total-count",
];

/// What each worker runs once, when an instance starts.
pub fn start() {
    std::panic::set_hook(Box::new(serve::panicked));
    for text in OFTEN {
        wasm_bindgen::intern(text);
    }
}

/// The time, in milliseconds since 1970.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "a time in milliseconds is far below 2^53"
)]
pub fn now() -> i64 {
    js_sys::Date::now() as i64
}

/// Unicode's normal form C, as the platform makes it.
#[must_use]
pub fn normalize(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let normal = js_sys::JsString::from(text).normalize("NFC");
    String::from(normal)
}
