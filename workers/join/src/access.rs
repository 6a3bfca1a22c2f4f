//! Access to the gateway: for a client that sends a token, or a browser that has one in a cookie.

use edge::auth::{access_policy, gateway_guard};
use edge::{Error, Request};
use http_semantics::auth::{BearerToken, Scope};

use crate::domain::session;

/// The guard of the gateway: a client's token. A browser cannot send one when it follows a link of our
/// pages to a file. So if it sends none, its session authorizes reads that come from our pages.
///
/// # Errors
/// A missing or wrong token, if the policy requires one.
pub fn guard(request: &Request, scope: Scope) -> Result<(), Error> {
    // Where reads are open, no other header is read.
    gateway_guard(request, scope).or_else(|rejection| {
        let is_from_our_pages = request.header("authorization").is_none()
            && request.header("sec-fetch-site").as_deref() == Some("same-origin");
        if scope == Scope::Read && request.parts.method.is_safe() && is_from_our_pages {
            let token = session_token(request);
            access_policy(&request.env).authorize(Scope::Read, token.as_ref())?;
            request.is_by_cookie.set(true);
            Ok(())
        } else {
            Err(rejection)
        }
    })
}

/// The token of the browser's session.
#[must_use]
pub fn session_token(request: &Request) -> Option<BearerToken> {
    session::token(request.header("cookie").as_deref())
}
