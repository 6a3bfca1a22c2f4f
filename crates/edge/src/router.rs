//! A worker's route table. It finds the route of a request, and sends the request through the
//! layers to the handler.
//!
//! The path of a route is a pattern, such as `/people/{id}/history` or `/places/{*rest}`. `{name}`
//! matches one segment that is not empty, and `{*name}` matches the rest of the path.

use std::cmp::Ordering;
use std::rc::Rc;

use http_semantics::{Problem, params, path};
use worker::Context;

use crate::env::Env;
use crate::error::Error;
use crate::http::request::{Method, Request, RequestParts};
use crate::http::response::Response;
use crate::layers::{Exchange, Layer};
use crate::route::MethodRouter;

/// The prefix of the routes for the other workers.
const INTERNAL_PREFIX: &str = "/internal/";

/// A worker's route table.
pub struct Router {
    worker: &'static str,
    layers: &'static [Layer],
    routes: Vec<Entry>,
}

/// A path of the route table.
struct Entry {
    /// The pattern.
    path: &'static str,
    /// The part of the pattern before its first variable. A path that matches begins with it, and most
    /// paths of the table do not.
    prefix: &'static str,
    methods: MethodRouter,
}

impl Router {
    /// An empty route table. Each request passes through `layers`, the first one first.
    #[must_use]
    pub fn new(worker: &'static str, layers: &'static [Layer]) -> Self {
        Self {
            worker,
            layers,
            routes: Vec::new(),
        }
    }

    /// The worker's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.worker
    }

    /// Adds a path without `/v1`, a pattern.
    ///
    /// # Panics
    /// If two paths match the same request, or if a path under `/internal/` is not marked as
    /// internal. The table is built when a worker starts, so no request causes this.
    #[must_use]
    pub fn route(mut self, path: &'static str, methods: MethodRouter) -> Self {
        assert!(
            path.starts_with(INTERNAL_PREFIX) == methods.is_internal(),
            "route {path}: paths under {INTERNAL_PREFIX}, and no others, are internal()"
        );
        let is_same = |known: &&str| compare_patterns(known, path).is_eq();
        let conflict = self.routes.iter().map(|known| known.path).find(is_same);
        assert!(
            conflict.is_none(),
            "route {path} conflicts with {conflict:?}"
        );
        self.routes.push(Entry {
            path,
            prefix: prefix(path),
            methods,
        });
        self
    }

    /// Each path with the value of its `Allow`. Tests compare them with the OpenAPI document.
    pub fn allowed_methods(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.routes
            .iter()
            .map(|known| (known.path, known.methods.allow()))
    }

    /// The most specific route that matches a path, with the variable segments of the path.
    fn find(&self, path: &str) -> Option<(&'static str, &MethodRouter, Vec<String>)> {
        let routes = self
            .routes
            .iter()
            .filter(|known| path.starts_with(known.prefix));
        let routes = routes.filter_map(|known| {
            let segments = match_path(known.path, path)?;
            Some((known.path, &known.methods, segments))
        });
        routes.min_by(|(one, ..), (other, ..)| compare_patterns(one, other))
    }

    /// Passes a request through the layers to the handler, and the response back in reverse order.
    /// A response passes through all layers, even if the request did not.
    pub async fn serve(&self, parts: RequestParts, env: Env, context: Context) -> Response {
        let mut exchange = Exchange::new(&parts, &env);
        let mut outcome = self.enter(&mut exchange, parts, env, context).await;
        for layer in self.layers.iter().rev() {
            outcome = layer.after(&mut exchange, outcome).await;
        }
        exchange.respond(outcome)
    }

    async fn enter<'a>(
        &'a self,
        exchange: &mut Exchange<'a>,
        parts: RequestParts,
        env: Env,
        context: Context,
    ) -> Result<Response, Error> {
        // Reject a path that another service or a proxy could interpret differently.
        let (path, query) =
            path::checked_path_and_query(&parts.url).ok_or_else(Problem::unknown_route)?;
        let path = path::decode_unreserved(path);
        let (path, query) = (path::canonical(&path).to_owned(), query.to_owned());
        let (route, methods, segments) = self.find(&path).ok_or_else(Problem::unknown_route)?;
        env.trace().route.set(Some(route));
        if query.len() > params::MAX_QUERY_BYTES {
            return Err(Problem::query_too_long(params::MAX_QUERY_BYTES).into());
        }
        let method = parts.method;
        let mut request = Request {
            if_none_match: parts.header("if-none-match"),
            cached_at: None,
            parts,
            env,
            context: Rc::new(context),
            path,
            query,
            segments,
            is_negotiated: Rc::clone(&exchange.is_negotiated),
            is_by_cookie: Rc::clone(&exchange.is_by_cookie),
            timings: Rc::default(),
        };
        exchange.route = methods.find(method);
        exchange.properties = methods.properties(method);
        for layer in self.layers {
            if let Some(response) = layer.before(exchange, &mut request).await? {
                exchange.must_be_authorized()?;
                return Ok(response);
            }
        }
        exchange.must_be_authorized()?;
        match exchange.route {
            Some(route) => {
                let known = route.is_read().then(|| request.if_none_match()).flatten();
                let response = route.handle(request).await?;
                Ok(match known {
                    Some(known) => response.unless_known(&known),
                    None => response,
                })
            }
            None if method == Method::Options => Ok(methods.options()),
            None => {
                let allow = methods.allow();
                let error = Error::from(Problem::method_not_allowed(&allow));
                match exchange.properties.and_then(|route| route.error_page) {
                    Some(error_page) if request.prefers_html() => Ok(error_page(error)
                        .header("allow", &allow)
                        .header("vary", "accept")),
                    _ => Err(error),
                }
            }
        }
    }
}

/// The part of a pattern before its first variable.
fn prefix(pattern: &str) -> &str {
    pattern.split('{').next().unwrap_or(pattern)
}

/// The variable segments of a path, if it matches the pattern.
fn match_path(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut variables = Vec::new();
    let mut rest = Some(path);
    for expected in pattern.split('/') {
        let remaining = rest?;
        let (segment, after) = match remaining.split_once('/') {
            Some((segment, after)) if segment_kind(expected) != SegmentKind::Rest => {
                (segment, Some(after))
            }
            _ => (remaining, None),
        };
        match segment_kind(expected) {
            SegmentKind::Literal if expected != segment => return None,
            SegmentKind::Literal => {}
            _ if segment.is_empty() => return None,
            SegmentKind::Variable | SegmentKind::Rest => variables.push(segment.to_owned()),
        }
        rest = after;
    }
    rest.is_none().then_some(variables)
}

/// Orders two patterns that match the same path: the more specific one is less. Two patterns that
/// match the same paths are equal.
fn compare_patterns(one: &str, other: &str) -> Ordering {
    let key = |segment| match segment_kind(segment) {
        SegmentKind::Literal => (SegmentKind::Literal, segment),
        variable => (variable, ""),
    };
    one.split('/').map(key).cmp(other.split('/').map(key))
}

/// The kinds of segments, the most specific one first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum SegmentKind {
    Literal,
    Variable,
    Rest,
}

fn segment_kind(segment: &str) -> SegmentKind {
    if segment.starts_with("{*") {
        SegmentKind::Rest
    } else if segment.starts_with('{') {
        SegmentKind::Variable
    } else {
        SegmentKind::Literal
    }
}

#[cfg(test)]
mod tests;
