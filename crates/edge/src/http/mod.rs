//! The types of requests and responses, and of their headers and bodies.

pub mod chunks;
pub mod headers;
pub mod request;
pub mod response;
pub mod tee;
