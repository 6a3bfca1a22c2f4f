//! How often a client may ask, counted by the platform's rate limiter (the binding `REQUESTS`),
//! if the setting `RATE_LIMIT` tells what it counts to.

use domain::Param;
use http_semantics::Problem;
use http_semantics::auth::Token;
use http_semantics::rate_limit::RateLimit;
use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::worker_sys::RateLimiter;

use crate::{Call, Env, Error};

/// The limit that a worker holds its clients to; none without the setting.
#[must_use]
pub fn of(env: &Env) -> Option<RateLimit> {
    RateLimit::parse(&env.setting("RATE_LIMIT")?)
}

/// Counts a request: to whoever was let in by a token, else to the address that it comes from.
///
/// # Errors
/// One that is too many.
pub async fn count(call: &Call, limit: RateLimit, holder: Option<&Token>) -> Result<(), Problem> {
    let key = match holder {
        Some(token) => token.name(),
        None => call.header("cf-connecting-ip").unwrap_or_default(),
    };
    // A limiter that fails lets all in: nobody is shut out by the lock's own fault.
    match is_within(&call.env, &key).await {
        Ok(false) => Err(Problem::too_many_requests(limit)),
        Ok(true) => Ok(()),
        Err(thrown) => {
            let _ = Error::platform("counting requests")(thrown).into_problem();
            Ok(())
        }
    }
}

async fn is_within(env: &Env, key: &str) -> Result<bool, JsValue> {
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
