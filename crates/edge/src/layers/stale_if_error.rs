//! Stale responses in place of errors (stale-if-error, RFC 5861). The gateway implements it.

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use http_semantics::MediaType;

use crate::error::Error;
use crate::http::request::Request;
use crate::http::response::Response;

/// The fallback of one request.
pub trait StaleIfError {
    /// The response to send: a stale one, if a service failed. A response that is valid now is
    /// stored as a snapshot ([`Response::when_cached`]).
    fn replace(
        self: Rc<Self>,
        outcome: Result<Response, Error>,
    ) -> LocalBoxFuture<'static, Result<Response, Error>>;
}

/// Creates the fallback of a request, in one of these formats.
pub type Fallback = fn(&Request, &'static [MediaType]) -> Rc<dyn StaleIfError>;
