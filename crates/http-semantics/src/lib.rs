//! The semantics of HTTP as pure functions: content negotiation, conditional requests, CORS,
//! problems, query parameters, paths, strict JSON and CSV.
//!
//! This crate does not depend on Cloudflare or JavaScript, so `cargo test` can test all of it.

pub mod actor;
pub mod auth;
mod bearer_token;
pub mod bookmark;
pub mod cors;
pub mod csv;
pub mod etag;
pub mod export_format;
pub mod fields;
pub mod freshness;
pub mod from_json;
pub mod header_list;
pub mod idempotency;
pub mod json;
pub mod lru_cache;
pub mod media;
pub mod negotiation;
pub mod params;
pub mod path;
pub mod prefer;
pub mod problem;
pub mod rate_limit;
pub mod site;
pub mod timing;
pub mod trace;
mod validator;

pub use etag::{Preconditions, Tag};
pub use media::MediaType;
pub use params::Params;
pub use problem::Problem;
pub use validator::{Epoch, Validator};
