//! The properties of a route, which the layers read.

use http_semantics::MediaType;
use http_semantics::auth::{BearerToken, Scope};

use crate::coalescer::ReadChangeSeqs;
use crate::error::Error;
use crate::http::request::Request;
use crate::http::response::Response;

/// The access that a route requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// `read` for safe methods, `write` for others.
    #[default]
    ByMethod,
    /// A token of this scope.
    Scope(Scope),
    /// No token: the handler checks a session itself, or there is nothing to protect.
    Open,
}

/// The database that a route reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadFrom {
    /// Safe methods read any replica that is as new as the client's bookmark, others the primary.
    #[default]
    ByMethod,
    /// The primary. In the gateway: the primaries of both databases.
    Primary,
    /// Any replica that is as new as the client's bookmark.
    Replica,
}

/// The properties of one method of a route.
#[derive(Default)]
pub struct Properties {
    /// The required access.
    pub access: Access,
    /// The database that it reads.
    pub read_from: ReadFrom,
    /// Whether only the other workers use it.
    pub is_internal: bool,
    /// Whether the rate limit ignores it.
    pub is_exempt_from_rate_limit: bool,
    /// If its responses are cached: reads the change sequences that revalidate them.
    pub cached: Option<ReadChangeSeqs>,
    /// If a stale response replaces an error of a service: the formats of its responses.
    pub stale_if_error: Option<&'static [MediaType]>,
    /// Can respond instead of the handler, for example if a page needs a login.
    pub gate: Option<fn(&Request) -> Option<Response>>,
    /// The token of a page's session.
    pub session_token: Option<fn(&Request) -> Option<BearerToken>>,
    /// Turns an error of the handler into a page.
    pub error_page: Option<fn(Error) -> Response>,
}
