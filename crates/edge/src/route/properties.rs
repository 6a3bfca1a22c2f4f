//! The properties of a route, which the layers read.

use http_semantics::MediaType;
use http_semantics::auth::Scope;

use crate::change_seqs::ReadSeqs;
use crate::error::Error;
use crate::http::request::Request;
use crate::http::response::Response;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// `read` for safe methods, `write` for others.
    #[default]
    ByMethod,
    /// A token of this scope.
    Scope(Scope),
    /// Everybody: the handler checks a session itself, or there is nothing to protect.
    Open,
}

/// Where a route reads.
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
    /// Who may use it.
    pub access: Access,
    /// Where it reads.
    pub read_from: ReadFrom,
    /// Whether only the other workers use it.
    pub is_internal: bool,
    /// Whether the rate limit does not count it.
    pub is_exempt_from_rate_limit: bool,
    /// Whether its responses are cached, and the function that reads the change sequences which
    /// tell whether they are valid.
    pub cached: Option<ReadSeqs>,
    /// Whether a stale response replaces an error of a service, in these formats.
    pub stale_if_error: Option<&'static [MediaType]>,
    /// Responds instead of the handler, for example if a page needs a login.
    pub gate: Option<fn(&Request) -> Option<Response>>,
    /// Turns an error of the handler into a page.
    pub error_page: Option<fn(Error) -> Response>,
}
