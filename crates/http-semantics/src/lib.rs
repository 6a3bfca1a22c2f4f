//! What HTTP headers, queries and bodies mean, as pure functions: content negotiation,
//! conditional requests, CORS, problems, links, parameters, paths, strict JSON and CSV.
//!
//! Nothing here knows of Cloudflare or of JavaScript, so all of it runs under plain
//! `cargo test`.

pub mod auth;
pub mod bookmark;
pub mod cors;
pub mod csv;
pub mod etag;
pub mod export_format;
pub mod fields;
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
pub mod timing;
pub mod trace;

pub use etag::{Preconditions, Tag};
pub use media::MediaType;
pub use params::Params;
pub use problem::Problem;
