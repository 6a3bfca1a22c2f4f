//! Route tables: which handler answers which address and method.

use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use http_semantics::auth::Token;
use http_semantics::bookmark::Bookmarks;
use http_semantics::problem::Kind;
use http_semantics::rate_limit::RateLimit;
use http_semantics::{Problem, params, path};
use worker::Context;

use crate::d1::consistency::BOOKMARK;
use crate::layers::cors::Cors;
use crate::layers::rate_limit as limit;
use crate::{Answer, Call, Env, Error, Incoming, Method, health};

/// A handler of calls.
pub type Handler = Rc<dyn Fn(Call) -> LocalBoxFuture<'static, Result<Answer, Error>>>;

/// The handlers of one address.
pub enum Handlers {
    /// One for each method.
    Methods(Vec<Entry>),
    /// One for whatever method.
    Any(Handler),
}

/// The handler of a method.
pub struct Entry {
    method: Method,
    handler: Handler,
    /// The media types of the body that it takes, in a header's form, where the method has a
    /// header that tells them.
    takes: Option<(&'static str, String)>,
}

fn boxed<F, A>(handler: F) -> Handler
where
    F: Fn(Call) -> A + 'static,
    A: Future<Output = Result<Answer, Error>> + 'static,
{
    Rc::new(move |call| handler(call).boxed_local())
}

macro_rules! method {
    ($($(#[$doc:meta])* $name:ident $method:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            pub fn $name<F, A>(handler: F) -> Handlers
            where
                F: Fn(Call) -> A + 'static,
                A: Future<Output = Result<Answer, Error>> + 'static,
            {
                Handlers::Methods(Vec::new()).$name(handler)
            }
        )*

        impl Handlers {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $name<F, A>(mut self, handler: F) -> Self
                where
                    F: Fn(Call) -> A + 'static,
                    A: Future<Output = Result<Answer, Error>> + 'static,
                {
                    if let Self::Methods(methods) = &mut self {
                        methods.push(Entry {
                            method: Method::$method,
                            handler: boxed(handler),
                            takes: None,
                        });
                    }
                    self
                }
            )*
        }
    };
}

method! {
    /// GET, and HEAD as GET without the body.
    get Get,
    /// POST
    post Post,
    /// PUT
    put Put,
    /// PATCH
    patch Patch,
    /// DELETE
    delete Delete,
}

/// An address whose every method has the same handler.
pub fn any<F, A>(handler: F) -> Handlers
where
    F: Fn(Call) -> A + 'static,
    A: Future<Output = Result<Answer, Error>> + 'static,
{
    Handlers::Any(boxed(handler))
}

impl Handlers {
    /// Tells the media types that the handler added last takes: `Accept-Patch` (RFC 5789) or
    /// `Accept-Post` (LDP, 7.1.3).
    #[must_use]
    pub fn taking(mut self, media_types: &[&str]) -> Self {
        if let Self::Methods(methods) = &mut self
            && let Some(last) = methods.last_mut()
        {
            let header = match last.method {
                Method::Patch => Some("accept-patch"),
                Method::Post => Some("accept-post"),
                _ => None,
            };
            last.takes = header.map(|name| (name, media_types.join(", ")));
        }
        self
    }

    fn methods(&self) -> &[Entry] {
        match self {
            Self::Methods(methods) => methods,
            Self::Any(_) => &[],
        }
    }

    /// The value of `Allow`.
    fn allow(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        for Entry { method, .. } in self.methods() {
            names.push(method.name());
            if *method == Method::Get {
                names.push(Method::Head.name());
            }
        }
        names.push(Method::Options.name());
        names.join(", ")
    }

    /// The answer to OPTIONS.
    fn options(&self) -> Answer {
        let taken = self
            .methods()
            .iter()
            .filter_map(|entry| entry.takes.clone());
        taken.fold(Answer::options(&self.allow()), |answer, (name, types)| {
            answer.header(name, types)
        })
    }

    /// The entry of a method; that of GET for HEAD.
    fn of(&self, method: Method) -> Option<&Entry> {
        let wanted = if method == Method::Head {
            Method::Get
        } else {
            method
        };
        self.methods().iter().find(|entry| entry.method == wanted)
    }

    async fn answer(&self, call: Call) -> Result<Answer, Error> {
        let method = call.incoming.method;
        if let Self::Any(handler) = self {
            return handler(call).await;
        }
        let Some(entry) = self.of(method) else {
            return match method {
                Method::Options => Ok(self.options()),
                _ => Err(Problem::method_not_allowed(&self.allow()).into()),
            };
        };
        let is_negotiated = Rc::clone(&call.is_negotiated);
        let problem = match (entry.handler)(call).await {
            Ok(answer) if is_negotiated.get() => return Ok(answer.header("vary", "accept")),
            Err(Error::Problem(problem)) => problem,
            other => return other,
        };
        let answer = Answer::problem(&problem);
        Ok(match (problem.kind(), &entry.takes) {
            (Kind::NotAcceptable, _) => answer.header("vary", "accept"),
            (Kind::UnsupportedMediaType, Some((name, types))) => answer.header(name, types),
            _ => answer,
        })
    }
}

/// What a request must get past before its handler sees it: the token that let it in, if it
/// needed one.
pub type Guard = fn(&Call, Method) -> Result<Option<Token>, Error>;

/// A worker's route table.
pub struct Routes {
    worker: &'static str,
    router: matchit::Router<(&'static str, Handlers)>,
    addresses: Vec<&'static str>,
    guard: Guard,
}

impl Routes {
    /// The table of a worker, behind a guard that no route of it can forget.
    #[must_use]
    pub fn of(worker: &'static str, guard: Guard) -> Self {
        Self {
            worker,
            router: matchit::Router::new(),
            addresses: Vec::new(),
            guard,
        }
    }

    /// The worker's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.worker
    }

    /// Adds an address, written without `/v1` and with `{name}` for a variable segment.
    ///
    /// # Panics
    /// Two addresses that cannot be told apart: a fault of the table itself, which
    /// shows at the first start.
    #[must_use]
    pub fn at(mut self, address: &'static str, handlers: Handlers) -> Self {
        #[expect(clippy::panic, reason = "no request reaches it")]
        if let Err(conflict) = self.router.insert(address, (address, handlers)) {
            panic!("route {address}: {conflict}");
        }
        self.addresses.push(address);
        self
    }

    /// Each address with the value of its `Allow`, which is empty where one handler has every
    /// method. The description of the API is held against it.
    pub fn listed(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.addresses.iter().map(|address| {
            let handlers = self.router.at(address);
            let allow = handlers.map(|found| found.value.1.allow());
            (*address, allow.unwrap_or_default())
        })
    }

    /// Answers a request.
    pub async fn serve(&self, incoming: Incoming, env: Env, context: Context) -> Answer {
        let cors = Cors::of(&incoming, &env);
        let limit = limit::of(&env);
        let method = incoming.method;
        let answer = self.answer(incoming, env, context, limit).await;
        let mut answer = answer.unwrap_or_else(|error| {
            let problem = error.into_problem();
            Answer::problem(&problem.answering(!method.is_safe()))
        });
        if method == Method::Head {
            answer = answer.unread();
        }
        if let Some(cors) = cors {
            answer = cors.add_to(answer);
        }
        answer.header_if("ratelimit-policy", limit.map(RateLimit::policy))
    }

    async fn answer(
        &self,
        incoming: Incoming,
        env: Env,
        context: Context,
        limit: Option<RateLimit>,
    ) -> Result<Answer, Error> {
        // A path that a service or a proxy could read differently is never checked, but rejected.
        let (path, query) = path::split(&incoming.url).ok_or_else(Problem::unknown_route)?;
        let (path, query) = (path::canonical(path).to_owned(), query.to_owned());
        let found = self
            .router
            .at(&path)
            .map_err(|_| Problem::unknown_route())?;
        let (address, handlers) = found.value;
        env.trace().route.set(Some(address));
        if query.len() > params::MOST_BYTES {
            return Err(Problem::query_too_long(params::MOST_BYTES).into());
        }
        let segments = found.params.iter();
        let segments = segments.map(|(_, value)| value.to_owned()).collect();
        let method = incoming.method;
        let call = Call {
            incoming,
            env,
            context: Rc::new(context),
            is_unconditional: false,
            path,
            query,
            segments,
            is_negotiated: Rc::default(),
            timings: Rc::default(),
        };
        let brought = call.header_as::<Bookmarks>(BOOKMARK)?;
        call.env.reading().begin(brought, method, &call.path);
        let admitted = (self.guard)(&call, method);
        if let Some(limit) = limit.filter(|_| !health::is_of(&call.path)) {
            // Whoever is refused is counted, too, by the address.
            let holder = admitted.as_ref().ok().and_then(Option::as_ref);
            limit::count(&call, limit, holder).await?;
        }
        admitted?;
        handlers.answer(call).await
    }
}
