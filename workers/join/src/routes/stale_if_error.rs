//! Serves a response if a backend fails, times out or sends a malformed one (stale-if-error).
//!
//! The fallbacks, in order: the last good response to the same request with its age, a partial
//! response, the problem. A client that prefers strict handling (RFC 7240) gets the problem.

use std::rc::Rc;

use edge::{CIRCUIT_OPEN, Error, Request, Response, StaleIfError, now};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use http_semantics::{MediaType, Problem, prefer};

use crate::domain::cache_status::CacheStatus;
use crate::service::cache::CachedRoute;

/// The fallbacks of a request whose response has one of these formats. Responses that may be
/// cached are saved as snapshots.
#[must_use]
pub fn stale_if_error(request: &Request, formats: &'static [MediaType]) -> Rc<dyn StaleIfError> {
    Rc::new(CachedRoute::new(request.clone(), formats))
}

impl StaleIfError for CachedRoute {
    fn replace(
        self: Rc<Self>,
        outcome: Result<Response, Error>,
    ) -> LocalBoxFuture<'static, Result<Response, Error>> {
        async move {
            let response = match outcome {
                Ok(mut response) => match response.take_partial_reason() {
                    None => {
                        let cache = Rc::clone(&self);
                        response.when_cached(move |copy| cache.save(copy))
                    }
                    Some(problem) => fallback(&self, problem, Some(response)).await,
                },
                Err(Error::Problem(problem)) if problem.service().is_some() => {
                    fallback(&self, problem, None).await
                }
                Err(other) => return Err(other),
            };
            let timings = self.call().timings.borrow().header();
            Ok(response.header_if("server-timing", timings))
        }
        .boxed_local()
    }
}

/// The response in place of a problem, or of a partial response.
async fn fallback(cache: &CachedRoute, problem: Problem, partial: Option<Response>) -> Response {
    let request = cache.call();
    if prefer::is_strict(request.header("prefer").as_deref()) {
        return Response::problem(&problem).header("preference-applied", prefer::STRICT);
    }
    let outcome = problem
        .service()
        .and_then(|service| request.timings.borrow().outcome(service));
    let status = |age| CacheStatus {
        age,
        was_called: outcome != Some(CIRCUIT_OPEN),
        problem: &problem,
    };
    if let Some(stale) = cache.stale_response().await {
        let age = stale.age(now());
        return stale
            .into_response(request)
            .header("age", age.to_string())
            .header("cache-control", "no-cache")
            .header("cache-status", status(Some(age)).to_string());
    }
    match partial {
        Some(partial) => partial.header("cache-status", status(None).to_string()),
        None => Response::problem(&problem),
    }
}
