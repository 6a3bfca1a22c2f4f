//! The routes of a [`Router`](crate::Router). A route has a handler per method, and each method has
//! properties.
//!
//! In the code, a property stands after its method. Without properties, a GET needs the scope
//! `read` and reads any replica, and every other method needs the scope `write` and uses the
//! primary. So if a property is forgotten, the route is not open to everybody, and no write is
//! decided by stale data.

use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use http_semantics::MediaType;
use http_semantics::auth::{BearerToken, Scope};
use tables::ChangeSeqs;

use crate::coalescer::{self, ReadChangeSeqs};
use crate::env::Env;
use crate::error::Error;
use crate::http::request::{Method, Request};
use crate::http::response::Response;

/// The access that a route requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// `read` for safe methods, `write` for others.
    #[default]
    ByMethod,
    /// A token of this scope.
    Scope(Scope),
    /// No token: the handler checks a session itself, or there is nothing to protect.
    Open,
}

/// The database that a route reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadFrom {
    /// Safe methods read any replica that is as new as the client's bookmark, others the primary.
    #[default]
    ByMethod,
    /// The primary. In the gateway: the primaries of both databases.
    Primary,
    /// Any replica that is as new as the client's bookmark.
    Replica,
}

/// The properties of one method of a route.
#[derive(Default)]
pub struct Properties {
    /// The required access.
    pub access: Access,
    /// A query parameter that needs a greater scope.
    pub parameter_scope: Option<(&'static str, Scope)>,
    /// The database that it reads.
    pub read_from: ReadFrom,
    /// Whether only the other workers use it.
    pub is_internal: bool,
    /// Whether the rate limit ignores it.
    pub is_exempt_from_rate_limit: bool,
    /// If its responses are cached: reads the change sequences that revalidate them.
    pub cached: Option<ReadChangeSeqs>,
    /// Whether a recent response may be sent again without a check, if the client allows it. Its
    /// responses are cached even if they cannot be checked.
    pub is_reusable: bool,
    /// If a stale response replaces an error of a service: the formats of its responses.
    pub stale_if_error: Option<&'static [MediaType]>,
    /// Can respond instead of the handler, for example if a page needs a login.
    pub gate: Option<fn(&Request) -> Option<Response>>,
    /// The token of a page's session.
    pub session_token: Option<fn(&Request) -> Option<BearerToken>>,
    /// Turns an error of the handler into a page.
    pub error_page: Option<fn(Error) -> Response>,
}

impl Properties {
    /// Whether this worker reads the primary of its own database.
    pub fn uses_primary(&self, method: Method) -> bool {
        match self.read_from {
            ReadFrom::ByMethod => !method.is_safe(),
            ReadFrom::Primary => true,
            ReadFrom::Replica => false,
        }
    }
}

/// A handler of requests.
pub type Handler = Rc<dyn Fn(Request) -> LocalBoxFuture<'static, Result<Response, Error>>>;

/// One method of a route.
pub struct Route {
    /// None: any method.
    method: Option<Method>,
    /// The handler.
    pub(crate) handler: Handler,
    /// The media types of the body, with the header that lists them for this method.
    pub(crate) accepts: Option<(&'static str, String)>,
    /// The properties.
    pub(crate) properties: Properties,
}

impl Route {
    /// Whether the method is GET, which also serves HEAD.
    pub(crate) fn is_read(&self) -> bool {
        self.method == Some(Method::Get)
    }

    /// Runs the handler. For a route of pages, an error becomes a page.
    ///
    /// # Errors
    /// The error of the handler.
    pub(crate) async fn handle(&self, request: Request) -> Result<Response, Error> {
        match ((self.handler)(request).await, self.properties.error_page) {
            (Err(error), Some(error_page)) => Ok(error_page(error)),
            (outcome, _) => outcome,
        }
    }
}

/// The methods of one path.
#[derive(Default)]
pub struct MethodRouter(Vec<Route>);

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident $method:expr),* $(,)?) => {
        $(
            $(#[$doc])*
            pub fn $name<F, A>(handler: F) -> MethodRouter
            where
                F: Fn(Request) -> A + 'static,
                A: Future<Output = Result<Response, Error>> + 'static,
            {
                MethodRouter::default().$name(handler)
            }
        )*

        impl MethodRouter {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $name<F, A>(mut self, handler: F) -> Self
                where
                    F: Fn(Request) -> A + 'static,
                    A: Future<Output = Result<Response, Error>> + 'static,
                {
                    self.0.push(Route {
                        method: $method,
                        handler: Rc::new(move |request| handler(request).boxed_local()),
                        accepts: None,
                        properties: Properties::default(),
                    });
                    self
                }
            )*
        }
    };
}

methods! {
    /// GET, and HEAD as GET without the body.
    get Some(Method::Get),
    /// POST
    post Some(Method::Post),
    /// PUT
    put Some(Method::Put),
    /// PATCH
    patch Some(Method::Patch),
    /// DELETE
    delete Some(Method::Delete),
    /// Any method.
    any None,
}

/// The properties of the method before.
impl MethodRouter {
    /// The media types of the body, which OPTIONS lists: `Accept-Patch` (RFC 5789) or
    /// `Accept-Post` (LDP, 7.1.3).
    #[must_use]
    pub fn accepts(mut self, media_types: &[&str]) -> Self {
        if let Some(last) = self.0.last_mut() {
            let header = match last.method {
                Some(Method::Patch) => Some("accept-patch"),
                Some(Method::Post) => Some("accept-post"),
                _ => None,
            };
            last.accepts = header.map(|name| (name, media_types.join(", ")));
        }
        self
    }

    /// Requires a token of this scope.
    #[must_use]
    pub fn scope(self, scope: Scope) -> Self {
        self.with(|properties| properties.access = Access::Scope(scope))
    }

    /// Requires a token of this scope for a query in which this parameter is true.
    #[must_use]
    pub fn scope_of_parameter(self, parameter: &'static str, scope: Scope) -> Self {
        self.with(|properties| properties.parameter_scope = Some((parameter, scope)))
    }

    /// Needs no token.
    #[must_use]
    pub fn open(self) -> Self {
        self.with(|properties| properties.access = Access::Open)
    }

    /// A health check: it needs no token, and the rate limit does not count it.
    #[must_use]
    pub fn health_check(self) -> Self {
        self.with(|properties| {
            properties.access = Access::Open;
            properties.is_exempt_from_rate_limit = true;
        })
    }

    /// Only for the other workers: it needs their secret or the scope `admin`. It reads the primary,
    /// because the other workers decide writes by it.
    #[must_use]
    pub fn internal(self) -> Self {
        self.with(|properties| {
            properties.is_internal = true;
            properties.access = Access::Scope(Scope::Admin);
            properties.read_from = ReadFrom::Primary;
        })
    }

    /// Reads the primary.
    #[must_use]
    pub fn from_primary(self) -> Self {
        self.with(|properties| properties.read_from = ReadFrom::Primary)
    }

    /// Reads any replica that is as new as the client's bookmark.
    #[must_use]
    pub fn from_replica(self) -> Self {
        self.with(|properties| properties.read_from = ReadFrom::Replica)
    }

    /// Caches the responses with [change sequences](Response::with_change_seqs). The handler gets a
    /// conditional request for a page that is cached, and its 304 has the change sequences, too.
    /// `read` reads only the current change sequences, for requests for several pages.
    #[must_use]
    pub fn cached<F>(self, read: impl Fn(Env) -> F + 'static) -> Self
    where
        F: Future<Output = Option<ChangeSeqs>> + 'static,
    {
        let read = coalescer::change_seqs_reader(read);
        self.with(|properties| properties.cached = Some(read))
    }

    /// Caches the responses for clients that accept recent ones without a check.
    #[must_use]
    pub fn reusable(self) -> Self {
        self.with(|properties| properties.is_reusable = true)
    }

    /// Sends a stale response if a service fails.
    #[must_use]
    pub fn stale_if_error(self, formats: &'static [MediaType]) -> Self {
        self.with(|properties| properties.stale_if_error = Some(formats))
    }

    fn with(mut self, set: impl FnOnce(&mut Properties)) -> Self {
        if let Some(last) = self.0.last_mut() {
            set(&mut last.properties);
        }
        self
    }

    /// Marks all methods as pages: they check the session themselves, read the primary so that they
    /// show what the browser has just written, and their errors are pages. The rate limit counts by
    /// the token of the session.
    #[must_use]
    pub fn pages(
        mut self,
        error_page: fn(Error) -> Response,
        session_token: fn(&Request) -> Option<BearerToken>,
    ) -> Self {
        for route in &mut self.0 {
            route.properties.session_token = Some(session_token);
            route.properties.access = Access::Open;
            route.properties.read_from = ReadFrom::Primary;
            route.properties.error_page = Some(error_page);
        }
        self
    }

    /// If `gate` returns a response, all methods send it instead of running their handlers.
    #[must_use]
    pub fn gate(mut self, gate: fn(&Request) -> Option<Response>) -> Self {
        for route in &mut self.0 {
            route.properties.gate = Some(gate);
        }
        self
    }
}

impl MethodRouter {
    /// Whether all methods are internal.
    pub(crate) fn is_internal(&self) -> bool {
        self.0.iter().all(|route| route.properties.is_internal)
    }

    /// The route of a method; that of GET for HEAD.
    pub(crate) fn find(&self, method: Method) -> Option<&Route> {
        let wanted = match method {
            Method::Head => Method::Get,
            other => other,
        };
        let mut routes = self.0.iter();
        routes.find(|route| route.method.is_none_or(|known| known == wanted))
    }

    /// The properties of a method. A method without a handler has those of the first one: its
    /// response is a 405 or a list of methods.
    pub(crate) fn properties(&self, method: Method) -> Option<&Properties> {
        let route = self.find(method).or(self.0.first());
        route.map(|route| &route.properties)
    }

    /// The value of `Allow`.
    pub(crate) fn allow(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        for method in self.0.iter().filter_map(|route| route.method) {
            names.push(method.name());
            if method == Method::Get {
                names.push(Method::Head.name());
            }
        }
        names.push(Method::Options.name());
        names.join(", ")
    }

    /// The response to OPTIONS.
    pub(crate) fn options(&self) -> Response {
        let accepts = self.0.iter().filter_map(|route| route.accepts.clone());
        accepts.fold(
            Response::options(&self.allow()),
            |response, (name, types)| response.header(name, types),
        )
    }
}

#[cfg(test)]
mod tests;
