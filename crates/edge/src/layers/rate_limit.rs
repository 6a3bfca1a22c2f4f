//! Limits the requests of each client. The platform's rate limiter (the binding `REQUESTS`) counts
//! the requests, and its limit is in `wrangler.toml`. The setting `RATE_LIMIT` repeats the limit,
//! because a worker cannot read it from the binding. Without this setting, nothing is limited.

use domain::Param;
use http_semantics::Problem;
use http_semantics::rate_limit::{self, RateLimit};
use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::worker_sys::RateLimiter;

use crate::env::Env;
use crate::error::Error;
use crate::http::request::Request;

/// The limit of this worker, or none without the setting.
#[must_use]
pub fn load(env: &Env) -> Option<RateLimit> {
    RateLimit::parse(&env.setting("RATE_LIMIT")?)
}

/// The client that a limit applies to: the pseudonym of its token, or its network if it has no known
/// token. A known token counts even where none is needed, so that guesses from the same network do not
/// affect it. Without the platform in front of the worker, a client has no address.
pub(crate) fn client_of(request: &Request) -> Option<String> {
    let network = || {
        let address = request.header("cf-connecting-ip")?;
        Some(rate_limit::network_of(&address).into_owned())
    };
    request.env.caller_pseudonym().or_else(network)
}

/// Counts a request of a client.
///
/// # Errors
/// A request that exceeds the limit.
pub async fn count(request: &Request, limit: RateLimit) -> Result<(), Problem> {
    let key = client_of(request).unwrap_or_default();
    // If the rate limiter fails, the failure is logged and the request passes.
    match is_within_limit(&request.env, &key).await {
        Ok(false) => Err(Problem::too_many_requests(limit)),
        Ok(true) => Ok(()),
        Err(thrown) => {
            let _ = Error::platform("counting requests")(thrown).into_problem();
            Ok(())
        }
    }
}

async fn is_within_limit(env: &Env, key: &str) -> Result<bool, JsValue> {
    let binding = Reflect::get(env, &"REQUESTS".into())?;
    if binding.is_undefined() {
        return Ok(true);
    }
    let options = Object::new();
    Reflect::set(&options, &"key".into(), &key.into())?;
    let outcome = binding.unchecked_ref::<RateLimiter>().limit(options)?;
    let outcome = JsFuture::from(outcome).await?;
    Ok(Reflect::get(&outcome, &"success".into())?.is_truthy())
}
