//! Serves a request of the platform: the panic guard, the final headers and the log line.
//!
//! Wasm cannot unwind, so a panic ends the whole instance: none of its code runs any more, and the
//! platform starts a new instance for the next request. All requests in flight would get no
//! response. So the promise of a response is created apart from the code that computes it. The
//! panic hook, which still runs, resolves the promises of all requests in flight with a 500.

use std::cell::Cell;
use std::panic::PanicHookInfo;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll};

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use http_semantics::Problem;
use js_sys::{Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use worker::{Context, console_error, worker_sys};

use crate::env::Env;
use crate::env::trace::{self, Sampling, Trace};
use crate::error::Error;
use crate::http::request::RequestParts;
use crate::http::response::Response;
use crate::router::Router;
use crate::service_client::FORWARDED_HEADER;

/// The caller, which decides the headers of the response.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caller {
    /// Another worker, which calls this one by its bare name. A client's request with that name
    /// comes through the gateway and is marked as forwarded.
    Worker,
    /// A client that used TLS and a public name, so that browsers may require TLS from now on. That
    /// must not happen for a local name.
    Secure,
    /// Any other client.
    Other,
}

impl Caller {
    fn new(parts: &RequestParts, worker: &str) -> Self {
        let host = parts.url.strip_prefix("https://").unwrap_or_default();
        let is_forwarded = || parts.header(FORWARDED_HEADER).is_some();
        match host.split(['/', '?', ':']).next().unwrap_or_default() {
            name if name == worker && !is_forwarded() => Self::Worker,
            "" | "localhost" | "127.0.0.1" | "[" => Self::Other,
            _ => Self::Secure,
        }
    }
}

/// A request that has no response yet.
struct InFlight {
    worker: &'static str,
    env: Env,
    caller: Caller,
    is_write: bool,
    /// Resolves the promise of the response.
    resolve: Function,
}

thread_local! {
    /// All requests in flight. They are moved out while they are changed, so that the panic hook
    /// never finds them borrowed.
    static IN_FLIGHT: Cell<Vec<Rc<InFlight>>> = const { Cell::new(Vec::new()) };
}

fn add(request: &Rc<InFlight>) {
    let mut all = IN_FLIGHT.take();
    all.push(Rc::clone(request));
    IN_FLIGHT.set(all);
}

fn remove(request: &Rc<InFlight>) {
    let mut all = IN_FLIGHT.take();
    all.retain(|other| !Rc::ptr_eq(other, request));
    IN_FLIGHT.set(all);
}

impl InFlight {
    /// Sends the response, and writes the log line.
    fn respond(&self, response: Response) {
        let id = self.env.trace().id();
        let response = match self.caller {
            Caller::Worker => response.for_worker(id),
            Caller::Secure => {
                let setting = self.env.setting("HSTS_SUBDOMAINS");
                response
                    .for_request(id)
                    .secure(setting.as_deref() == Some("on"))
            }
            Caller::Other => response.for_request(id),
        };
        let response = response
            .with_bookmark(self.env.consistency().bookmark())
            .into_response();
        let sent = response.and_then(|response| {
            let sampling = Sampling::parse(self.env.setting("LOG").as_deref());
            let status = response.status();
            self.env
                .trace()
                .write_log_line(self.worker, sampling, status);
            let sent = self.resolve.call1(&JsValue::UNDEFINED, &response);
            sent.map_err(Error::platform("responding"))
        });
        if let Err(error) = sent {
            console_error!("{error}");
        }
    }
}

/// The code of a request. While it is polled, its trace is the current one.
struct Running {
    request: Rc<InFlight>,
    response: LocalBoxFuture<'static, Response>,
}

impl Future for Running {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<()> {
        trace::set_current(Some(Rc::clone(self.request.env.trace())));
        let polled = self.response.poll_unpin(task);
        trace::set_current(None);
        polled.map(|response| {
            remove(&self.request);
            self.request.respond(response);
        })
    }
}

/// Serves a request.
pub fn serve(
    router: Rc<Router>,
    request: web_sys::Request,
    bindings: worker::Env,
    context: worker_sys::Context,
) -> Promise {
    let worker = router.name();
    let parts = RequestParts::from(request);
    let trace = Trace::from_request(parts.method.name(), &parts.headers);
    let env = Env::for_request(bindings, worker, trace);
    let caller = Caller::new(&parts, worker);
    let is_write = !parts.method.is_safe();
    let mut start = Some((router, parts, env, Context::new(context)));
    Promise::new(&mut |resolve, _| {
        let Some((router, parts, env, context)) = start.take() else {
            return;
        };
        let request = Rc::new(InFlight {
            worker,
            env: env.clone(),
            caller,
            is_write,
            resolve,
        });
        add(&request);
        let response = async move { router.serve(parts, env, context).await }.boxed_local();
        spawn_local(Running { request, response });
    })
}

/// The panic hook: sends a 500 to all requests in flight, and logs the panic for each.
pub fn panicked(info: &PanicHookInfo<'_>) {
    let all = IN_FLIGHT.take();
    if all.is_empty() {
        console_error_panic_hook::hook(info);
    }
    for request in all {
        request.env.trace().record_failure(info.to_string());
        let problem = Problem::internal().for_method(request.is_write);
        request.respond(Response::problem(&problem));
    }
}
