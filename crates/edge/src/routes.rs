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
    /// One for each method, and the value of `Allow`.
    Methods {
        /// The methods there are.
        allow: &'static str,
        /// GET, and HEAD.
        get: Handler,
    },
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

/// An address that is read: GET, and HEAD as GET without the body.
pub fn get<F, A>(handler: F) -> Handlers
where
    F: Fn(Call) -> A + 'static,
    A: Future<Output = Result<Answer, Error>> + 'static,
{
    Handlers::Methods {
        allow: "GET, HEAD, OPTIONS",
        get: boxed(handler),
    }
}

/// An address whose every method has the same handler.
pub fn any<F, A>(handler: F) -> Handlers
where
    F: Fn(Call) -> A + 'static,
    A: Future<Output = Result<Answer, Error>> + 'static,
{
    Handlers::Any(boxed(handler))
}

/// A worker's route table.
#[derive(Default)]
pub struct Routes(matchit::Router<Handlers>);

impl Routes {
    /// Adds an address, written without `/v1` and with `{name}` for a variable segment.
    ///
    /// # Panics
    /// Two addresses that cannot be told apart: a fault of the table itself, which
    /// shows at the first start.
    #[must_use]
    pub fn at(mut self, address: &str, handlers: Handlers) -> Self {
        #[expect(clippy::panic, reason = "no request reaches it")]
        if let Err(conflict) = self.0.insert(address, handlers) {
            panic!("route {address}: {conflict}");
        }
        self
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
        let (method, address) = (request.method(), request.url());
        let (path, query) = path::of_address(&address);
        let found = self
            .0
            .at(path::canonical(path))
            .map_err(|_| Problem::unknown_route())?;
        let segments = found
            .params
            .iter()
            .map(|(_, value)| value.to_owned())
            .collect();
        let call = Call {
            request,
            env,
            context,
            query: query.to_owned(),
            segments,
        };
        match (found.value, Method::from(method.as_str())) {
            (Handlers::Any(handler), _) | (Handlers::Methods { get: handler, .. }, Method::Get) => {
                handler(call).await
            }
            (Handlers::Methods { get: handler, .. }, Method::Head) => {
                // An error's body goes too: a HEAD answer never has one.
                let answer = handler(call).await.unwrap_or_else(Answer::from);
                Ok(answer.without_body())
            }
            (Handlers::Methods { allow, .. }, Method::Options) => Ok(Answer::options(allow)),
            (Handlers::Methods { allow, .. }, Method::Other) => {
                Err(Problem::method_not_allowed(allow).into())
            }
        }
    }
}
