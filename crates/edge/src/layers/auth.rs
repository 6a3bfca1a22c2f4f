//! Who may do what, as the worker's settings say: the guards of the route tables.

use domain::Param;
use http_semantics::auth::{Policy, Scope, Token};
use http_semantics::{Problem, path};

use crate::{Call, Env, Error, Method, health};

/// The header in which the workers show each other their secret. None ever lets a client's own
/// through.
pub const SERVICE: &str = "x-service-secret";

/// The mark of a request that the gateway forwards for a client, in the client's own words. It is
/// set after the client's headers, whatever they say, and a backend service then keeps to itself
/// what is internal: even if the path has become another one on the way.
pub const FORWARDED: &str = "x-gateway-forwarded";

/// Who may do what: the variables `READS` and `WRITES`, and the secret `TOKENS`.
#[must_use]
pub fn policy(env: &Env) -> Policy {
    let [reads, writes, tokens] = ["READS", "WRITES", "TOKENS"].map(|name| env.setting(name));
    Policy::of(reads.as_deref(), writes.as_deref(), tokens)
}

/// The secret that the workers share, if there is one that is long enough to be one.
#[must_use]
pub fn secret(env: &Env) -> Option<Token> {
    Token::parse(&env.setting("SERVICE_SECRET")?)
}

/// What a request at the entry point needs: more than records is changed by a repair alone.
fn scope_of(call: &Call, method: Method) -> Scope {
    match method {
        method if method.is_safe() => Scope::Read,
        _ if call.path.starts_with("/integrity") => Scope::Admin,
        _ => Scope::Write,
    }
}

/// Lets a request in whose token is in `Authorization`.
///
/// # Errors
/// One without the token that it needs.
pub fn admit(call: &Call, scope: Scope) -> Result<Option<Token>, Problem> {
    let policy = policy(&call.env);
    if policy.is_open(scope) {
        return Ok(None);
    }
    let token = Token::of_authorization(call.header("authorization").as_deref())?;
    policy.admit(scope, token.as_ref())?;
    Ok(token)
}

/// Whether a request is no business of a guard: what a route takes is told to all, and whether a
/// worker lives, too.
fn is_free(call: &Call, method: Method) -> bool {
    method == Method::Options || health::is_of(&call.path)
}

/// The guard of the entry point.
///
/// # Errors
/// A request without the token that it needs.
pub fn at_the_entry(call: &Call, method: Method) -> Result<Option<Token>, Error> {
    if is_free(call, method) {
        return Ok(None);
    }
    Ok(admit(call, scope_of(call, method))?)
}

/// The guard of an owner, which trusts no network: whoever reaches it shows the services'
/// secret, or a token, for all but open reads.
///
/// # Errors
/// A request with neither, or a forwarded one for what is internal.
pub fn at_an_owner(call: &Call, method: Method) -> Result<Option<Token>, Error> {
    let is_internal = path::is_internal(&call.path);
    if is_internal && call.header(FORWARDED).is_some() {
        return Err(Problem::unknown_route().into());
    }
    if is_free(call, method) {
        return Ok(None);
    }
    let scope = if is_internal {
        Scope::Admin
    } else {
        scope_of(call, method)
    };
    if let Some(given) = call.header(SERVICE)
        && secret(&call.env).is_some_and(|secret| secret.is(&given))
    {
        return Ok(None);
    }
    Ok(admit(call, scope)?)
}
