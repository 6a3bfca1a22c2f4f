//! Stale responses in place of errors (stale-if-error, RFC 5861). The gateway implements it.

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use http_semantics::MediaType;

use crate::error::Error;
use crate::http::request::Request;
use crate::http::response::Response;

/// Replaces failed responses to one request.
pub trait StaleIfError {
    /// Returns the response to send. If a service failed, this is a stale one. A valid response is
    /// stored as a snapshot ([`Response::when_cached`]).
    fn replace(
        self: Rc<Self>,
        outcome: Result<Response, Error>,
    ) -> LocalBoxFuture<'static, Result<Response, Error>>;
}

/// Creates the fallback of a request. The formats are those of the route.
pub type Fallback = fn(&Request, &'static [MediaType]) -> Rc<dyn StaleIfError>;
