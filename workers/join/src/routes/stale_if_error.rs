//! Stale-if-error (RFC 5861): the response if a backend fails, times out or sends a malformed
//! response.
//!
//! The first of these that exists is sent:
//! 1. the newest stale response to the same request, with its age,
//! 2. the partial response of the handler,
//! 3. the problem.
//!
//! A client that sends `Prefer: handling=strict` (RFC 7240) gets the problem.

use std::rc::Rc;

use edge::{CIRCUIT_OPEN, Error, Request, Response, StaleIfError, now};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use http_semantics::{MediaType, Problem, prefer};

use crate::domain::cache_status::CacheStatus;
use crate::service::cache::RequestCache;

/// The fallback of a request whose response has one of these formats. It also saves fresh
/// responses as snapshots.
#[must_use]
pub fn stale_if_error(request: &Request, formats: &'static [MediaType]) -> Rc<dyn StaleIfError> {
    Rc::new(RequestCache::new(request.clone(), formats))
}

impl StaleIfError for RequestCache {
    fn replace(
        self: Rc<Self>,
        outcome: Result<Response, Error>,
    ) -> LocalBoxFuture<'static, Result<Response, Error>> {
        async move {
            let response = match outcome {
                Ok(mut response) => match response.take_partial_reason() {
                    None => {
                        let cache = Rc::clone(&self);
                        response.when_cached(move |fresh| cache.save(fresh))
                    }
                    Some(problem) => fallback(&self, problem, Some(response)).await,
                },
                Err(Error::Problem(problem)) if problem.service().is_some() => {
                    fallback(&self, problem, None).await
                }
                Err(other) => return Err(other),
            };
            let timings = self.request().timings.borrow().header();
            Ok(response.header_if("server-timing", timings))
        }
        .boxed_local()
    }
}

/// The response that replaces a problem or a partial response.
async fn fallback(cache: &RequestCache, problem: Problem, partial: Option<Response>) -> Response {
    let request = cache.request();
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
