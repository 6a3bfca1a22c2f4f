//! Access control: the guards of the gateway and of the backends.

use domain::Param;
use http_semantics::Problem;
use http_semantics::auth::{AccessPolicy, BearerToken, Scope};

use crate::env::Env;
use crate::error::Error;
use crate::http::request::Request;
use crate::http::request_parts::Method;
use crate::route::properties::{Access, Properties};

/// The header with the secret that the workers share. The gateway never forwards a client's own.
pub const SERVICE_SECRET_HEADER: &str = "x-service-secret";

/// The mark of a request that the gateway forwards for a client. It is set after the client's
/// headers, whatever they say. A backend then keeps its internal routes to itself, even if the path
/// has changed on the way.
pub const FORWARDED_HEADER: &str = "x-gateway-forwarded";

/// Checks whether a request may use a scope: the token that allows it, if it needed one.
pub type Guard = fn(&Request, Scope) -> Result<Option<BearerToken>, Error>;

/// The policy: the variables `READS` and `WRITES`, and the secret `TOKENS`.
#[must_use]
pub fn access_policy(env: &Env) -> AccessPolicy {
    let [reads, writes, tokens] = ["READS", "WRITES", "TOKENS"].map(|name| env.setting(name));
    AccessPolicy::from_settings(reads.as_deref(), writes.as_deref(), tokens)
}

/// The secret that the workers share, if it is set and long enough.
#[must_use]
pub fn service_secret(env: &Env) -> Option<BearerToken> {
    BearerToken::parse(&env.setting("SERVICE_SECRET")?)
}

/// Checks the token in `Authorization`.
///
/// # Errors
/// A request without the token that it needs.
pub fn check_token(request: &Request, scope: Scope) -> Result<Option<BearerToken>, Problem> {
    let policy = access_policy(&request.env);
    if policy.is_open(scope) {
        return Ok(None);
    }
    let token = BearerToken::from_authorization(request.header("authorization").as_deref())?;
    policy.authorize(scope, token.as_ref())?;
    Ok(token)
}

/// Applies a guard to the scope that a request needs. OPTIONS needs none. An internal route does
/// not exist for a forwarded request, whatever its method and its token.
pub(crate) fn authenticate(
    request: &Request,
    properties: &Properties,
    guard: Guard,
) -> Result<Option<BearerToken>, Error> {
    if properties.is_internal && request.header(FORWARDED_HEADER).is_some() {
        return Err(Problem::unknown_route().into());
    }
    let method = request.parts.method;
    let scope = match properties.access {
        Access::Open => return Ok(None),
        _ if method == Method::Options => return Ok(None),
        Access::Scope(scope) => scope,
        Access::ByMethod if method.is_safe() => Scope::Read,
        Access::ByMethod => Scope::Write,
    };
    guard(request, scope)
}

/// The guard of the gateway: a client's token.
///
/// # Errors
/// A request without the token that it needs.
pub fn gateway_guard(request: &Request, scope: Scope) -> Result<Option<BearerToken>, Error> {
    Ok(check_token(request, scope)?)
}

/// The guard of a backend, which trusts no network: the secret of the services, or a token.
///
/// # Errors
/// A request with neither.
pub fn backend_guard(request: &Request, scope: Scope) -> Result<Option<BearerToken>, Error> {
    if let Some(given) = request.header(SERVICE_SECRET_HEADER)
        && service_secret(&request.env).is_some_and(|secret| secret.matches(&given))
    {
        return Ok(None);
    }
    gateway_guard(request, scope)
}
