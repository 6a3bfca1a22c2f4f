//! The platform code that the three workers share. A request passes through these steps:
//!
//! 1. [`serve`](mod@serve) creates the promise of the response, guards against panics, and at the
//!    end writes the [access log](env::trace).
//! 2. [`router`] finds the [`route`] of the path and method, and the properties of this route.
//! 3. [`layers`] check and prepare the request: consistency, token, rate limit, response cache.
//! 4. The handler reads the [`Request`], and calls its [`Database`] or another worker
//!    ([`ServiceClient`]). [`collection`] has the handlers that places and people share, and
//!    [`import`] has the handler for files. Concurrent requests share round trips ([`coalescer`]).
//! 5. The handler returns a [`Response`] or an [`Error`], which passes through the layers in
//!    reverse order.
//!
//! A body that `SQLite` or another worker made stays a JavaScript value. It is copied into the
//! memory of wasm only if Rust code has to read it.

pub mod change_stream;
pub mod coalescer;
pub mod collection;
mod d1;
mod env;
mod error;
pub mod files;
pub mod health;
mod http;
mod idempotency;
pub mod import;
mod layers;
mod recent_changes;
mod route;
mod router;
mod serve;
mod service_client;
mod time;

pub use collection::versioned_record::{NORMALIZE, VersionedRecord, parse_record};
pub use d1::{Database, MAX_WRITE_ATTEMPTS, Row};
pub use env::Env;
pub use env::call_quota::{CallQuota, Calls};
pub use env::trace::{Trace, random_token};
pub use error::Error;
pub use http::chunks::chunks;
pub use http::request::{
    JSON, MAX_RECORD_BYTES, MERGE_PATCH, Method, Request, RequestParts, in_time,
};
pub use http::response::{Body, CachedResponse, Response};
pub use idempotency::IdempotentRequest;
pub use layers::auth;
pub use layers::response_cache::{cached_response, clear_response_cache, shared_cache};
pub use layers::{Layer, StaleIfError};
pub use recent_changes::recent_changes;
pub use route::{MethodRouter, any, delete, get, patch, post, put};
pub use router::Router;
pub use serve::serve;
pub use service_client::call_policy::CIRCUIT_OPEN;
pub use service_client::{BodyReader, ServiceClient};
pub use time::{first_in_time, now, pause, with_timeout};

/// Strings that almost every request passes to JavaScript. Interned strings are converted once.
const INTERNED: [&str; 46] = [
    "1",
    "DB",
    "GET",
    "PEOPLE",
    "PLACES",
    "accept",
    "age",
    "application/json",
    "authorization",
    "cache-control",
    "cache-status",
    "connection",
    "content-disposition",
    "content-type",
    "cookie",
    "etag",
    "first-primary",
    "first-unconstrained",
    "https://people/internal/counter",
    "https://places/internal/counter",
    "if-match",
    "if-none-match",
    "keep-alive",
    "link",
    "nosniff",
    "origin",
    "proxy-authorization",
    "proxy-connection",
    "rows_read",
    "server-timing",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "upgrade",
    "vary",
    "x-change-counter",
    "x-content-type-options",
    "x-d1-bookmark",
    "x-gateway-actor",
    "x-gateway-caller",
    "x-gateway-forwarded",
    "x-protocol-version",
    "x-request-id",
    "x-service-secret",
    "x-total-count",
];

/// Prepares an instance of a worker. Each worker calls it once, when the instance starts.
pub fn start() {
    std::panic::set_hook(Box::new(serve::panicked));
    for text in INTERNED {
        wasm_bindgen::intern(text);
    }
}
