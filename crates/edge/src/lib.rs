//! The platform code that the three workers share. [`serve()`] passes a request through the
//! [layers](Layer) of the worker's [`Router`] to a handler. The handler queries a [`Database`] or
//! another worker ([`ServiceClient`]) and returns an [`Response`] or an [`Error`].
//!
//! A body that `SQLite` or another worker made stays a JavaScript value: it is copied into wasm
//! only if something has to read it.

pub mod change_seqs;
pub mod coalescer;
pub mod collection;
mod d1;
mod env;
mod error;
pub mod group_commit;
pub mod health;
mod http;
mod idempotency;
pub mod import;
mod layers;
mod route;
mod router;
mod serve;
mod service_client;
mod timeout;
mod unicode;
mod versioned_record;

pub use change_seqs::ChangeSeqs;
pub use d1::page_row::PageRow;
pub use d1::{Database, Row};
pub use env::Env;
pub use error::Error;
pub use http::chunks::chunks;
pub use http::request::{JSON, MAX_RECORD_BYTES, MAX_WRITE_ATTEMPTS, MERGE_PATCH, Request};
pub use http::request_parts::{Method, RequestParts};
pub use http::response::{Body, CachedResponse, Response};
pub use idempotency::IdempotentRequest;
pub use layers::Layer;
pub use layers::auth;
pub use layers::response_cache::cached_response;
pub use layers::stale_if_error::StaleIfError;
pub use layers::trace::{Trace, random_token};
pub use route::{MethodRouter, any, delete, get, patch, post, put};
pub use router::Router;
pub use serve::serve;
pub use service_client::call_policy::CIRCUIT_OPEN;
pub use service_client::{BodyReader, ServiceClient};
pub use timeout::{now, pause, with_timeout};
pub use unicode::normalize;
pub use versioned_record::{VersionedRecord, parse_record};

/// Strings that almost every request passes to JavaScript.
const INTERNED: [&str; 16] = [
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

/// Runs once when an instance of a worker starts.
pub fn start() {
    std::panic::set_hook(Box::new(serve::panicked));
    for text in INTERNED {
        wasm_bindgen::intern(text);
    }
}
