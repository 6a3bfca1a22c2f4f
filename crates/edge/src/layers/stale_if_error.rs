//! Stale responses in place of errors (stale-if-error, RFC 5861). The gateway implements it.

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use http_semantics::MediaType;

use crate::error::Error;
use crate::http::request::Call;
use crate::http::response::Answer;

/// The fallback of one request.
pub trait StaleIfError {
    /// The response to send: a stale one, if a service failed. A response that is valid now is
    /// stored as a snapshot ([`Answer::when_cached`]).
    fn replace(
        self: Rc<Self>,
        outcome: Result<Answer, Error>,
    ) -> LocalBoxFuture<'static, Result<Answer, Error>>;
}

/// Creates the fallback of a request, in one of these formats.
pub type Fallback = fn(&Call, &'static [MediaType]) -> Rc<dyn StaleIfError>;
