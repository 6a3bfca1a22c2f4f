//! Requests, responses and their bodies.

pub mod chunks;
pub mod request;
pub mod request_parts;
pub mod response;
pub mod tee;
