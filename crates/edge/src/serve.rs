//! Serves a request of the platform. It guards against panics, adds the final headers, and writes
//! the log line.
//!
//! # Panics Wasm cannot unwind, so a panic ends the whole instance. None of its code runs any more,
//! and the platform starts a new instance for the next request. All requests in flight would get no
//! response. Therefore the promise of a response is separate from the code that computes the
//! response. The panic hook still runs. It resolves the promises of all requests in flight with a
//! 500.
//!
//! # Disconnecting clients When a client disconnects, the platform drops all I/O of its request.
//! The request's code would then stop at its next `await`, in the middle of a write, and its memory
//! would never be freed. So the whole request runs under `waitUntil`, which the platform ends 30
//! seconds later. After this time, [`remove_lost`] removes what is left of the request.

use std::cell::{Cell, RefCell};
use std::panic::PanicHookInfo;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll};

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use http_semantics::Problem;
use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
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
    /// When it arrived, in milliseconds since 1970.
    arrived: i64,
    /// Resolves the promise of the response.
    resolve: Function,
    /// Keeps the request running while its response is read.
    context: Rc<worker_sys::Context>,
    /// The code that makes the response. None after it has ended.
    code: RefCell<Option<LocalBoxFuture<'static, Response>>>,
}

/// The age at which a request counts as lost, in milliseconds. It is longer than any timeout. The
/// platform has ended it without telling us.
const LOST_MS: i64 = 600_000;

thread_local! {
    /// All requests in flight, in order of arrival. They are moved out while they are changed, so
    /// that the panic hook never finds them borrowed.
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

/// Removes the requests that are lost, and frees the memory of their code.
fn remove_lost(now: i64) {
    let mut all = IN_FLIGHT.take();
    let lost = all.partition_point(|request| now - request.arrived > LOST_MS);
    let lost: Vec<_> = all.drain(..lost).collect();
    IN_FLIGHT.set(all);
    for request in lost {
        let code = request.code.try_borrow_mut().ok();
        drop(code.and_then(|mut code| code.take()));
    }
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
            .into_response(&self.context);
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
struct Running(Rc<InFlight>);

impl Future for Running {
    type Output = ();

    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<()> {
        let Self(request) = &*self;
        let Some(mut code) = request.code.take() else {
            return Poll::Ready(());
        };
        trace::set_current(Some(Rc::clone(request.env.trace())));
        let polled = code.poll_unpin(task);
        trace::set_current(None);
        match polled {
            Poll::Pending => {
                request.code.replace(Some(code));
                Poll::Pending
            }
            Poll::Ready(response) => {
                remove(request);
                request.respond(response);
                Poll::Ready(())
            }
        }
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
    let arrived = trace.started();
    let env = Env::for_request(bindings, worker, trace);
    let caller = Caller::new(&parts, worker);
    let is_write = !parts.method.is_safe();
    remove_lost(arrived);
    let own_context = JsValue::clone(context.as_ref()).unchecked_into();
    let context = Rc::new(context);
    let mut start = Some((router, parts, env, own_context));
    let response = Promise::new(&mut |resolve, _| {
        let Some((router, parts, env, own_context)) = start.take() else {
            return;
        };
        let request = Rc::new(InFlight {
            worker,
            env: env.clone(),
            caller,
            is_write,
            arrived,
            resolve,
            context: Rc::clone(&context),
            code: RefCell::default(),
        });
        let code = async move { router.serve(parts, env, Context::new(own_context)).await };
        request.code.replace(Some(code.boxed_local()));
        add(&request);
        spawn_local(Running(request));
    });
    // The client and the platform wait for the same promise.
    if let Err(thrown) = context.wait_until(&response) {
        console_error!("{thrown:?}");
    }
    response
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
