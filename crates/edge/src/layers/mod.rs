//! The layers. A request passes through them on its way to a handler, and the response passes
//! through them in reverse order. Each worker lists its layers in `lib.rs`, from the outside to the
//! inside.
//!
//! [`crate::serve()`] is outside of all layers. It traces the request, and sends a response even if
//! the worker panics.

pub mod auth;
pub mod cors;
pub mod rate_limit;
pub mod response_cache;

use std::cell::Cell;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use http_semantics::problem::Kind;
use http_semantics::rate_limit::RateLimit;
use http_semantics::{MediaType, Problem};

use crate::env::Env;
use crate::env::consistency::BOOKMARK_HEADER;
use crate::error::Error;
use crate::http::request::{Method, Request, RequestParts};
use crate::http::response::Response;
use crate::layers::auth::Guard;
use crate::layers::cors::Cors;
use crate::layers::response_cache::{Lookup, Miss, SharedCache};
use crate::route::{Properties, ReadFrom, Route};

/// A step before the handler, after it, or both.
#[derive(Clone, Copy)]
pub enum Layer {
    /// After: lets pages of other origins read the response.
    Cors,
    /// After: removes the body for HEAD.
    Head,
    /// Before: sets how current the data must be, by `X-D1-Bookmark` and the route's property
    /// ([`crate::env::consistency`]).
    Consistency,
    /// Before: finds the token of the caller, and checks its access. It rejects no request, so that
    /// the rate limit also counts requests without a valid token.
    Authenticate(Guard),
    /// Before: counts the request. After: states the limit.
    RateLimit,
    /// Before: rejects a request without the token that the route requires. A page shows the login
    /// instead. After: if a cookie had the token, nobody may store the response.
    Authorize,
    /// After: turns an error into a problem, and adds `Vary`.
    Problems,
    /// Before: prepares the fallback. After: sends a stale response if a service failed.
    StaleIfError(Fallback),
    /// Before: sends a cached response that is current, or fresh enough for the client. After: caches
    /// the response. There may be a cache that all isolates share.
    ResponseCache(Option<SharedCache>),
}

/// Sends stale responses in place of errors (stale-if-error, RFC 5861), for one request. The gateway
/// implements it.
pub trait StaleIfError {
    /// Returns the response to send. If a service failed, this is a stale response, or else the
    /// partial response or the problem. A valid response is stored as a snapshot
    /// ([`Response::when_cached`]).
    fn replace(
        self: Rc<Self>,
        outcome: Result<Response, Error>,
    ) -> LocalBoxFuture<'static, Result<Response, Error>>;
}

/// Creates the fallback of a request. The formats are those of the route.
pub type Fallback = fn(&Request, &'static [MediaType]) -> Rc<dyn StaleIfError>;

/// The state that the layers share while they process one request.
pub struct Exchange<'a> {
    method: Method,
    cors: Option<Cors>,
    rate_limit: Option<RateLimit>,
    /// The route, if there is one for this path and method.
    pub(crate) route: Option<&'a Route>,
    /// Its properties, or those of the path.
    pub(crate) properties: Option<&'a Properties>,
    /// The result of the guard.
    access: Option<Result<(), Error>>,
    is_authorized: bool,
    /// Whether the handler read `Accept`.
    pub(crate) is_negotiated: Rc<Cell<bool>>,
    /// Whether a cookie authorized the request.
    pub(crate) is_by_cookie: Rc<Cell<bool>>,
    fallback: Option<Rc<dyn StaleIfError>>,
    miss: Option<Miss>,
}

impl Layer {
    /// Runs the layer before the handler. A response or an error skips the handler and the layers
    /// further inside.
    ///
    /// # Errors
    /// The reason to reject the request.
    pub(crate) async fn before(
        self,
        exchange: &mut Exchange<'_>,
        request: &mut Request,
    ) -> Result<Option<Response>, Error> {
        let Some(properties) = exchange.properties else {
            return Ok(None);
        };
        match self {
            Self::Consistency => {
                let sent = request.header(BOOKMARK_HEADER);
                let consistency = request.env.consistency();
                let uses_primary = properties.uses_primary(request.parts.method);
                consistency.begin(sent.as_deref(), uses_primary);
                // The gateway has no table of its own, so it requires the primary of both backends.
                if properties.read_from == ReadFrom::Primary && !consistency.has_table() {
                    consistency.require_newest();
                }
            }
            Self::Authenticate(guard) => {
                auth::log_invalid_setting(&request.env);
                if let Some((token, name)) = auth::known_token(request, properties) {
                    request.env.set_caller(&token, name);
                } else if let Some(name) = auth::forwarded_actor(request) {
                    request.env.set_actor(name);
                }
                exchange.access = Some(auth::authenticate(request, properties, guard));
            }
            Self::RateLimit => {
                if let Some(limit) = exchange
                    .rate_limit
                    .filter(|_| !properties.is_exempt_from_rate_limit)
                {
                    rate_limit::count(request, limit).await?;
                }
            }
            Self::Authorize => {
                exchange.access.take().ok_or_else(Problem::internal)??;
                exchange.is_authorized = true;
                let gate = exchange.route.and_then(|route| route.properties.gate);
                return Ok(gate.and_then(|gate| gate(request)));
            }
            Self::StaleIfError(fallback) => {
                let formats = exchange.route.and_then(|r| r.properties.stale_if_error);
                exchange.fallback = formats.map(|formats| fallback(request, formats));
            }
            Self::ResponseCache(shared) => {
                let route = exchange.route.filter(|route| {
                    route.properties.cached.is_some() || route.properties.is_reusable
                });
                if let Some(route) = route {
                    match response_cache::find(request, route, shared).await {
                        Lookup::Hit(response) => return Ok(Some(response)),
                        Lookup::Miss(miss) => exchange.miss = Some(miss),
                        Lookup::Bypass => {}
                    }
                }
            }
            Self::Cors | Self::Head | Self::Problems => {}
        }
        Ok(None)
    }

    /// Runs the layer after the handler. A layer that did not run before the handler finds no state
    /// and does nothing.
    ///
    /// # Errors
    /// The error of the handler, or of a layer.
    pub(crate) async fn after(
        self,
        exchange: &mut Exchange<'_>,
        outcome: Result<Response, Error>,
    ) -> Result<Response, Error> {
        match self {
            Self::ResponseCache(_) => {
                if !exchange.method.is_safe() && may_have_written(&outcome) {
                    response_cache::record_write();
                }
                match exchange.miss.take() {
                    Some(miss) => Ok(miss.finish(outcome?, &exchange.is_negotiated)),
                    None => outcome,
                }
            }
            Self::StaleIfError(_) => match exchange.fallback.take() {
                Some(fallback) => fallback.replace(outcome).await,
                None => outcome,
            },
            Self::Problems => Ok(exchange.problem_or(outcome)),
            Self::RateLimit => {
                let policy = exchange.rate_limit.map(RateLimit::policy);
                Ok(exchange
                    .respond(outcome)
                    .header_if("ratelimit-policy", policy))
            }
            Self::Head if exchange.method == Method::Head => {
                Ok(exchange.respond(outcome).without_body())
            }
            Self::Cors => Ok(match exchange.cors.take() {
                Some(cors) => cors.add_to(exchange.respond(outcome)),
                None => exchange.respond(outcome),
            }),
            Self::Authorize if exchange.is_by_cookie.get() => Ok(exchange
                .respond(outcome)
                .header("cache-control", "no-store, no-transform")),
            Self::Head | Self::Consistency | Self::Authenticate(_) | Self::Authorize => outcome,
        }
    }
}

/// Whether a write was done, or may have been. A 4xx has no effect.
fn may_have_written(outcome: &Result<Response, Error>) -> bool {
    let status = match outcome {
        Ok(response) => response.status(),
        Err(Error::Problem(problem)) => problem.status(),
        Err(_) => return true,
    };
    !(400..500).contains(&status)
}

impl Exchange<'_> {
    /// The state of a new request. It includes what every response needs, even one to an unknown
    /// path.
    pub(crate) fn new(parts: &RequestParts, env: &Env) -> Self {
        Self {
            method: parts.method,
            cors: Cors::new(parts, env),
            rate_limit: rate_limit::load(env),
            route: None,
            properties: None,
            access: None,
            is_authorized: false,
            is_negotiated: Rc::default(),
            is_by_cookie: Rc::default(),
            fallback: None,
            miss: None,
        }
    }

    /// The response, or the response to the error.
    pub(crate) fn respond(&self, outcome: Result<Response, Error>) -> Response {
        outcome.unwrap_or_else(|error| {
            let problem = error.into_problem();
            Response::problem(&problem.for_method(!self.method.is_safe()))
        })
    }

    /// The response, or the problem of the error. `Vary` is added if `Accept` was read.
    fn problem_or(&self, outcome: Result<Response, Error>) -> Response {
        let problem = match outcome {
            Ok(response) if self.is_negotiated.get() => return response.header("vary", "accept"),
            Err(Error::Problem(problem)) => problem,
            other => return self.respond(other),
        };
        let response = Response::problem(&problem);
        let accepts = self.route.and_then(|route| route.accepts.as_ref());
        match (problem.kind(), accepts) {
            (Kind::NotAcceptable, _) => response.header("vary", "accept"),
            (Kind::UnsupportedMediaType, Some((name, types))) => response.header(name, types),
            _ => response,
        }
    }

    /// Rejects a request that no layer has authorized: the worker's list has no
    /// [`Layer::Authorize`], or another layer responds before it.
    ///
    /// # Errors
    /// A request that is not authorized.
    pub(crate) fn must_be_authorized(&self) -> Result<(), Error> {
        if self.is_authorized {
            Ok(())
        } else {
            Err(Problem::internal().into())
        }
    }
}
