//! What the three workers agree on, as pure Rust: ids, cursors, query parameters,
//! pages, problems, paths and the statements that make a page.
//!
//! Nothing here knows of Cloudflare or of JavaScript, so all of it runs under plain
//! `cargo test`.

pub mod accept;
pub mod access;
pub mod bookmark;
pub mod breaker;
pub mod cache_status;
pub mod cors;
pub mod csv;
pub mod cursor;
pub mod etag;
pub mod export;
pub mod fields;
pub mod held;
pub mod id;
pub mod idempotency;
pub mod ids;
pub mod import;
pub mod integrity;
pub mod journal;
pub mod json;
pub mod log;
pub mod media;
pub mod moment;
pub mod name;
pub mod page;
pub mod params;
pub mod path;
pub mod population;
pub mod prefer;
pub mod problem;
pub mod rate;
pub mod sql;
pub mod timing;
pub mod trace;

pub use cursor::Cursor;
pub use etag::{Preconditions, Tag};
pub use id::{PersonId, PlaceId};
pub use media::Format;
pub use moment::Moment;
pub use page::{Page, Sort};
pub use params::{Param, Params};
pub use problem::Problem;
