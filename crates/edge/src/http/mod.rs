//! Requests, responses and the router.

pub mod chunks;
pub mod request;
pub mod request_parts;
pub mod response;
pub mod router;
pub mod tee;
