//! Route tables: which handler answers which address and method.

use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use registry::{Problem, path};
use worker::{Context, Env};

use crate::{Answer, Call, Error, Method};

/// A handler of calls.
pub type Handler = Rc<dyn Fn(Call) -> LocalBoxFuture<'static, Result<Answer, Error>>>;

/// The handlers of one address.
pub enum Handlers {
    /// One for each method.
    Methods(Vec<(Method, Handler)>),
    /// One for whatever method.
    Any(Handler),
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
                        methods.push((Method::$method, boxed(handler)));
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
    /// The value of `Allow`.
    fn allow(&self) -> String {
        let Self::Methods(methods) = self else {
            return String::new();
        };
        let mut names: Vec<&str> = Vec::new();
        for (method, _) in methods {
            names.push(method.name());
            if *method == Method::Get {
                names.push(Method::Head.name());
            }
        }
        names.push(Method::Options.name());
        names.join(", ")
    }

    fn of(&self, method: Method) -> Option<&Handler> {
        match self {
            Self::Any(handler) => Some(handler),
            Self::Methods(methods) => methods
                .iter()
                .find(|(known, _)| *known == method)
                .map(|(_, handler)| handler),
        }
    }
}

/// What a request must get past before its handler sees it.
pub type Guard = fn(&Call, Method) -> Result<(), Error>;

/// A worker's route table.
#[derive(Default)]
pub struct Routes {
    router: matchit::Router<Handlers>,
    addresses: Vec<&'static str>,
    guard: Option<Guard>,
}

impl Routes {
    /// A table behind a guard, which no route of it can forget.
    #[must_use]
    pub fn behind(guard: Guard) -> Self {
        Self {
            guard: Some(guard),
            ..Self::default()
        }
    }

    /// Adds an address, written without `/v1` and with `{name}` for a variable segment.
    ///
    /// # Panics
    /// Two addresses that cannot be told apart: a fault of the table itself, which
    /// shows at the first start.
    #[must_use]
    pub fn at(mut self, address: &'static str, handlers: Handlers) -> Self {
        #[expect(clippy::panic, reason = "no request reaches it")]
        if let Err(conflict) = self.router.insert(address, handlers) {
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
            let allow = handlers.map(|found| found.value.allow());
            (*address, allow.unwrap_or_default())
        })
    }

    /// Answers a request.
    ///
    /// # Errors
    /// Only what the platform throws when the answer itself cannot be made.
    pub async fn serve(
        &self,
        request: web_sys::Request,
        env: Env,
        context: Context,
    ) -> worker::Result<web_sys::Response> {
        let answer = self
            .answer(request, env, context)
            .await
            .unwrap_or_else(Answer::from);
        answer
            .into_response()
            .map_err(|error| worker::Error::RustError(error.to_string()))
    }

    async fn answer(
        &self,
        request: web_sys::Request,
        env: Env,
        context: Context,
    ) -> Result<Answer, Error> {
        let (method, address) = (Method::from(request.method().as_str()), request.url());
        let (path, query) = path::of_address(&address);
        let path = path::canonical(path);
        let found = self.router.at(path).map_err(|_| Problem::unknown_route())?;
        let segments = found.params.iter();
        let call = Call {
            request,
            env,
            context: Rc::new(context),
            path: path.to_owned(),
            query: query.to_owned(),
            segments: segments.map(|(_, value)| value.to_owned()).collect(),
        };
        if let Some(guard) = self.guard {
            guard(&call, method)?;
        }
        let handlers = found.value;
        if let Some(handler) = handlers.of(method) {
            return handler(call).await;
        }
        match (method, handlers.of(Method::Get)) {
            (Method::Head, Some(handler)) => {
                // An error's body goes too: a HEAD answer never has one.
                let answer = handler(call).await.unwrap_or_else(Answer::from);
                Ok(answer.without_body())
            }
            (Method::Options, _) => Ok(Answer::options(&handlers.allow())),
            _ => Err(Problem::method_not_allowed(&handlers.allow()).into()),
        }
    }
}
