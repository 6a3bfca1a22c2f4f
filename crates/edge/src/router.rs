//! A worker's route table, and the way of a request through the layers to a handler.

use std::rc::Rc;

use http_semantics::{Problem, params, path};
use worker::Context;

use crate::env::Env;
use crate::error::Error;
use crate::http::request::Request;
use crate::http::request_parts::{Method, RequestParts};
use crate::http::response::Response;
use crate::layers::{Exchange, Layer};
use crate::route::MethodRouter;

/// The prefix of the routes for the other workers.
const INTERNAL_PREFIX: &str = "/internal/";

/// A worker's route table.
pub struct Router {
    worker: &'static str,
    layers: &'static [Layer],
    table: matchit::Router<(&'static str, MethodRouter)>,
    paths: Vec<&'static str>,
}

impl Router {
    /// An empty route table. Each request passes through `layers`, the first one first.
    #[must_use]
    pub fn new(worker: &'static str, layers: &'static [Layer]) -> Self {
        Self {
            worker,
            layers,
            table: matchit::Router::new(),
            paths: Vec::new(),
        }
    }

    /// The worker's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.worker
    }

    /// Adds a path, without `/v1`, with `{name}` for a variable segment.
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
        #[expect(
            clippy::panic,
            reason = "the table is built when a worker starts, not by a request"
        )]
        if let Err(conflict) = self.table.insert(path, (path, methods)) {
            panic!("route {path}: {conflict}");
        }
        self.paths.push(path);
        self
    }

    /// Each path with the value of its `Allow`. Tests compare them with the OpenAPI document.
    pub fn allowed_methods(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.paths.iter().map(|path| {
            let found = self.table.at(path);
            let allow = found.map(|found| found.value.1.allow());
            (*path, allow.unwrap_or_default())
        })
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
        let (path, query) = (path::canonical(path).to_owned(), query.to_owned());
        let found = self.table.at(&path).map_err(|_| Problem::unknown_route())?;
        let (route, methods) = found.value;
        env.trace().route.set(Some(route));
        if query.len() > params::MAX_QUERY_BYTES {
            return Err(Problem::query_too_long(params::MAX_QUERY_BYTES).into());
        }
        let segments = found.params.iter();
        let segments = segments.map(|(_, value)| value.to_owned()).collect();
        let method = parts.method;
        let mut request = Request {
            if_none_match: parts.header("if-none-match"),
            parts,
            env,
            context: Rc::new(context),
            path,
            query,
            segments,
            is_negotiated: Rc::clone(&exchange.is_negotiated),
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
            Some(route) => route.handle(request).await,
            None if method == Method::Options => Ok(methods.options()),
            None => Err(Problem::method_not_allowed(&methods.allow()).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::get;

    async fn handler(_request: Request) -> Result<Response, Error> {
        Ok(Response::no_content())
    }

    #[test]
    #[should_panic(expected = "are internal()")]
    fn a_path_under_internal_without_internal_panics() {
        let _ = Router::new("test", &[]).route("/internal/a", get(handler));
    }

    #[test]
    #[should_panic(expected = "are internal()")]
    fn a_public_path_with_internal_panics() {
        let _ = Router::new("test", &[]).route("/a", get(handler).internal());
    }
}
