//! What every request passes through on its way to a handler and back.

pub mod access_log;
pub mod auth;
pub mod cors;
pub mod rate_limit;
pub mod response_cache;
pub mod trace;
