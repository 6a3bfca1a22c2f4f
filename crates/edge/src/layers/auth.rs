//! Access control: the guards of the gateway and of the backends.

use http_semantics::Problem;
use http_semantics::auth::{AccessPolicy, BearerToken, Scope};

use crate::env::Env;
use crate::error::Error;
use crate::http::request::{Method, Request};
use crate::route::{Access, Properties};
use crate::service_client::{FORWARDED_HEADER, SERVICE_SECRET_HEADER, service_secret};

/// Checks whether a request may use a scope. Returns the token of the caller, unless none is
/// needed.
pub type Guard = fn(&Request, Scope) -> Result<Option<BearerToken>, Error>;

/// The policy: the variables `READS` and `WRITES`, and the secret `TOKENS`.
#[must_use]
pub fn access_policy(env: &Env) -> AccessPolicy {
    let [reads, writes, tokens] = ["READS", "WRITES", "TOKENS"].map(|name| env.setting(name));
    AccessPolicy::from_settings(reads.as_deref(), writes.as_deref(), tokens)
}

/// Checks the token in `Authorization`.
///
/// # Errors
/// A missing or wrong token, if the policy requires one.
pub fn check_token(request: &Request, scope: Scope) -> Result<Option<BearerToken>, Problem> {
    let policy = access_policy(&request.env);
    if policy.is_open(scope) {
        return Ok(None);
    }
    let token = BearerToken::from_authorization(request.header("authorization").as_deref())?;
    policy.authorize(scope, token.as_ref())?;
    Ok(token)
}

/// Applies a guard to the scope that a request needs. OPTIONS needs none. For a forwarded request
/// an internal route does not exist, whatever its method and token.
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
/// A missing or wrong token, if the policy requires one.
pub fn gateway_guard(request: &Request, scope: Scope) -> Result<Option<BearerToken>, Error> {
    Ok(check_token(request, scope)?)
}

/// The guard of a backend: the secret of the workers, or a client's token. Its position in a
/// private network proves nothing.
///
/// # Errors
/// A request with neither, if the policy requires a token.
pub fn backend_guard(request: &Request, scope: Scope) -> Result<Option<BearerToken>, Error> {
    if let Some(sent) = request.header(SERVICE_SECRET_HEADER)
        && service_secret(&request.env).is_some_and(|secret| secret.matches(&sent))
    {
        return Ok(None);
    }
    gateway_guard(request, scope)
}
