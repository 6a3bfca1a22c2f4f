//! The platform shell that the three workers share: a request comes in as a [`Call`],
//! the [`Routes`] find its handler, the handler asks a [`Database`] or a [`ServiceClient`]
//! and gives an [`Answer`] or an [`Error`].
//!
//! A body that `SQLite` or another worker made stays a JavaScript value on its way
//! through: it is not copied into wasm unless something has to read it.

mod coalescer;
pub mod collection;
mod d1;
mod env;
mod error;
pub mod health;
mod http;
mod idempotency;
pub mod import;
mod layers;
mod serve;
mod service_client;
mod timeout;
mod versioned_record;

pub use coalescer::group_commit::{Queue, together};
pub use coalescer::revalidation::{self as proof, Marks};
pub use d1::page_row::PageRow;
pub use d1::{Database, Row};
pub use env::Env;
pub use error::Error;
pub use http::chunks::{chunks, pieces};
pub use http::request::{Call, JSON, MERGE_PATCH, RECORD_BYTES, TRIES};
pub use http::request_parts::{Incoming, Method};
pub use http::response::{Answer, Body, Fixed};
pub use http::router::{Handlers, Routes, any, delete, get, patch, post, put};
pub use idempotency::Keyed;
pub use layers::auth as access;
pub use layers::response_cache::{held, last};
pub use layers::trace::{Trace, random_token};
pub use serve::serve;
pub use service_client::call_policy::CIRCUIT_OPEN;
pub use service_client::{BodyReader, ServiceClient};
pub use timeout::{pause, within};
pub use versioned_record::{Stored, record_of};

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
