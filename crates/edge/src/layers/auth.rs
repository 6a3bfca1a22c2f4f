//! Access control. A *guard* decides whether a request may use a scope. The guard of the gateway
//! checks the client's token. The guard of a backend also accepts the secret that the workers
//! share.

use std::cell::Cell;

use domain::Param;
use http_semantics::actor::Actor;
use http_semantics::auth::{AccessPolicy, BearerToken, Scope};
use http_semantics::cors::CorsPolicy;
use http_semantics::{Problem, params, site};

use crate::env::Env;
use crate::error::Error;
use crate::http::request::{Method, Request};
use crate::layers::cors;
use crate::route::{Access, Properties};
use crate::service_client::{
    ACTOR_HEADER, FORWARDED_HEADER, PROTOCOL_VERSION, PROTOCOL_VERSION_HEADER,
    SERVICE_SECRET_HEADER, service_secret,
};

/// Checks whether a request may use a scope.
pub type Guard = fn(&Request, Scope) -> Result<(), Error>;

thread_local! {
    /// Whether this isolate has checked `TOKENS`.
    static IS_CHECKED: Cell<bool> = const { Cell::new(false) };
}

/// Logs an invalid `TOKENS`, with the first request of an isolate. Otherwise it would only show once
/// a request needs a token.
pub(crate) fn log_invalid_setting(env: &Env) {
    if !IS_CHECKED.replace(true)
        && let Err(problem) = access_policy(env).check_setting()
    {
        env.trace().record_failure(problem.detail().to_owned());
    }
}

/// The policy: the variables `READS` and `WRITES`, and the secret `TOKENS`.
#[must_use]
pub fn access_policy(env: &Env) -> AccessPolicy {
    let [reads, writes, tokens] = ["READS", "WRITES", "TOKENS"].map(|name| env.setting(name));
    AccessPolicy::from_settings(reads.as_deref(), writes.as_deref(), tokens)
}

/// Rejects a write that a page of another site may have caused. Needed where writes are open: a token
/// in `Authorization` is something that such a page does not have.
///
/// # Errors
/// A foreign `Origin`, or a host that may be a name of another site.
pub fn check_site(request: &Request) -> Result<(), Problem> {
    let setting = |name| request.env.setting(name).unwrap_or_default();
    let (url, origin) = (&request.parts.url, request.header("origin"));
    if !site::is_trusted_host(url, &setting("ALLOWED_HOSTS")) {
        return Err(Problem::unknown_host());
    }
    let origins = setting(cors::SETTING);
    if site::is_trusted_origin(url, origin.as_deref(), CorsPolicy::new(&origins)) {
        Ok(())
    } else {
        Err(Problem::foreign_origin())
    }
}

/// Checks the token in `Authorization`, or the site of a write that needs none.
///
/// # Errors
/// A missing or wrong token, if the policy requires one. A write of another site, if not.
fn check_token(request: &Request, scope: Scope) -> Result<(), Problem> {
    let policy = access_policy(&request.env);
    if policy.is_open(scope) {
        return match scope {
            Scope::Read => Ok(()),
            Scope::Write | Scope::Admin => check_site(request),
        };
    }
    let token = BearerToken::from_authorization(request.header("authorization").as_deref())?;
    policy.authorize(scope, token.as_ref())
}

/// The token of the caller and its name, if it is a known one: of `Authorization`, or of the session
/// of a page. It authorizes nothing, but tells one client from another.
pub(crate) fn known_token(
    request: &Request,
    properties: &Properties,
) -> Option<(BearerToken, Actor)> {
    let token = match request.header("authorization") {
        Some(header) => BearerToken::from_authorization(Some(&header)).ok()?,
        None => properties.session_token.and_then(|load| load(request)),
    }?;
    let grant = access_policy(&request.env).grant_of(&token)?;
    Some((token, grant.actor))
}

/// The author that another worker names. Only a caller with the secret of the workers may: a client
/// could otherwise write under another name.
pub(crate) fn forwarded_actor(request: &Request) -> Option<Actor> {
    let name = request.header(ACTOR_HEADER)?;
    Actor::parse(&name).filter(|_| has_service_secret(request))
}

/// Whether the caller has shown that it is an administrator or another worker. That writes are open
/// does not suffice.
#[must_use]
pub fn is_known_admin(request: &Request) -> bool {
    let scope = || {
        let header = request.header("authorization")?;
        let token = BearerToken::from_authorization(Some(&header)).ok()??;
        let grant = access_policy(&request.env).grant_of(&token)?;
        Some(grant.scope)
    };
    has_service_secret(request) || scope() == Some(Scope::Admin)
}

fn has_service_secret(request: &Request) -> bool {
    let sent = request.header(SERVICE_SECRET_HEADER);
    sent.zip(service_secret(&request.env))
        .is_some_and(|(sent, secret)| secret.matches(&sent))
}

/// Applies a guard to the scope that a request needs. OPTIONS needs none. For a forwarded request
/// an internal route does not exist, whatever its method and token.
pub(crate) fn authenticate(
    request: &Request,
    properties: &Properties,
    guard: Guard,
) -> Result<(), Error> {
    if properties.is_internal && request.header(FORWARDED_HEADER).is_some() {
        return Err(Problem::unknown_route().into());
    }
    let method = request.parts.method;
    let scope = match properties.access {
        Access::Open => return Ok(()),
        _ if method == Method::Options => return Ok(()),
        Access::Scope(scope) => scope,
        Access::ByMethod if method.is_safe() => Scope::Read,
        Access::ByMethod => Scope::Write,
    };
    let of_parameter = properties.parameter_scope;
    let of_parameter = of_parameter.filter(|(name, _)| params::has_true(&request.query, name));
    guard(
        request,
        scope.max(of_parameter.map_or(scope, |(_, scope)| scope)),
    )
}

/// The guard of the gateway: a client's token.
///
/// # Errors
/// A missing or wrong token, if the policy requires one.
pub fn gateway_guard(request: &Request, scope: Scope) -> Result<(), Error> {
    Ok(check_token(request, scope)?)
}

/// The guard of a backend: the secret of the workers, or a client's token. Its position in a
/// private network proves nothing. A caller that has a version must have this one.
///
/// # Errors
/// A request with neither, if the policy requires a token.
pub fn backend_guard(request: &Request, scope: Scope) -> Result<(), Error> {
    let version = request.header(PROTOCOL_VERSION_HEADER);
    if version.is_some_and(|version| version != PROTOCOL_VERSION) {
        return Err(Problem::updating()
            .header(PROTOCOL_VERSION_HEADER, PROTOCOL_VERSION)
            .into());
    }
    if has_service_secret(request) {
        return Ok(());
    }
    gateway_guard(request, scope)
}
