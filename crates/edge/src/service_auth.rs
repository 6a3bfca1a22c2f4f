//! How the workers recognize each other's requests: the secret that they share, and the mark of a
//! request that the gateway forwards for a client.

use domain::Param;
use http_semantics::auth::BearerToken;

use crate::env::Env;

/// The header with the secret that the workers share. The gateway never forwards a client's own.
pub const SERVICE_SECRET_HEADER: &str = "x-service-secret";

/// Marks a request that the gateway forwards for a client. The gateway sets it after the client's
/// headers, so a client cannot remove it. A backend hides its internal routes from such a request,
/// even if the path was changed on the way.
pub const FORWARDED_HEADER: &str = "x-gateway-forwarded";

/// The pseudonym of the client's token, which the gateway sends to a backend instead of the token. The
/// gateway never forwards a client's own header of this name.
pub const CALLER_HEADER: &str = "x-gateway-caller";

/// The secret that the workers share, if it is set and long enough.
pub fn service_secret(env: &Env) -> Option<BearerToken> {
    BearerToken::parse(&env.setting("SERVICE_SECRET")?)
}
